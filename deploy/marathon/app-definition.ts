import * as v from 'valibot';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { faultLines } from '../../daemon/fault-lines.ts';
import { mapOf, strictMap } from '../../daemon/fields.ts';
import { expandJson, expandTexts, missingNames } from './macros.ts';

const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const seconds = v.pipe(v.number(), v.integer(), v.minValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const texts = v.array(v.string());

const portMappings = v.optional(
  v.array(
    strictMap({
      containerPort: port,
      hostPort: v.optional(port),
      servicePort: v.optional(port),
      protocol: v.optional(v.picklist(['tcp', 'udp', 'udp,tcp', 'tcp,udp'])),
      name: v.optional(v.string()),
      labels: v.optional(mapOf(v.string())),
      networkNames: v.optional(texts),
    }),
  ),
);

/** What of a container's Docker part Marathon takes (its RAML of 1.11, `docker`). */
const docker = strictMap({
  image: v.pipe(v.string(), v.nonEmpty()),
  network: v.optional(v.picklist(['BRIDGE', 'HOST', 'NONE', 'USER'])),
  forcePullImage: v.optional(v.boolean()),
  privileged: v.optional(v.boolean()),
  parameters: v.optional(v.array(strictMap({ key: v.string(), value: v.string() }))),
  portMappings,
  pullConfig: v.optional(v.looseObject({})),
});

const healthCheck = strictMap({
  protocol: v.optional(v.picklist(['HTTP', 'HTTPS', 'TCP', 'COMMAND', 'MESOS_HTTP', 'MESOS_HTTPS', 'MESOS_TCP'])),
  path: v.optional(v.string()),
  portIndex: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  port: v.optional(port),
  command: v.optional(v.looseObject({})),
  gracePeriodSeconds: v.optional(seconds),
  intervalSeconds: v.optional(seconds),
  timeoutSeconds: v.optional(seconds),
  maxConsecutiveFailures: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  delaySeconds: v.optional(seconds),
  ignoreHttp1xx: v.optional(v.boolean()),
  ipProtocol: v.optional(v.picklist(['IPv4', 'IPv6'])),
});

/** An app as Marathon's API takes it. A key that it does not know is refused, here as there. */
const appDefinition = strictMap({
  id: v.pipe(
    v.string(),
    v.regex(
      /^\/?([a-z0-9]([a-z0-9.-]*[a-z0-9])?)(\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?)*$/,
      'must be a path of small letters, digits, dots and dashes, such as /shop/web',
    ),
  ),
  cmd: v.optional(v.pipe(v.string(), v.nonEmpty())),
  args: v.optional(texts),
  user: v.optional(v.string()),
  env: v.optional(mapOf(v.union([v.string(), strictMap({ secret: v.string() })]))),
  instances: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  cpus: v.optional(v.pipe(v.number(), v.minValue(0))),
  mem: v.optional(v.pipe(v.number(), v.minValue(0))),
  disk: v.optional(v.pipe(v.number(), v.minValue(0))),
  gpus: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  executor: v.optional(v.string()),
  constraints: v.optional(v.array(v.pipe(texts, v.minLength(2), v.maxLength(3)))),
  acceptedResourceRoles: v.optional(texts),
  container: v.optional(
    strictMap({
      type: v.optional(v.picklist(['DOCKER', 'MESOS'])),
      docker: v.optional(docker),
      volumes: v.optional(v.array(v.looseObject({}))),
      portMappings: portMappings,
      linuxInfo: v.optional(v.looseObject({})),
    }),
  ),
  networks: v.optional(v.array(v.looseObject({}))),
  portDefinitions: v.optional(v.array(v.looseObject({}))),
  ports: v.optional(v.array(port)),
  requirePorts: v.optional(v.boolean()),
  fetch: v.optional(v.array(v.looseObject({}))),
  uris: v.optional(texts),
  healthChecks: v.optional(v.array(healthCheck)),
  check: v.optional(v.looseObject({})),
  readinessChecks: v.optional(v.array(v.looseObject({}))),
  dependencies: v.optional(texts),
  upgradeStrategy: v.optional(strictMap({ minimumHealthCapacity: v.optional(share), maximumOverCapacity: v.optional(share) })),
  labels: v.optional(mapOf(v.string())),
  backoffSeconds: v.optional(seconds),
  backoffFactor: v.optional(v.pipe(v.number(), v.minValue(1))),
  maxLaunchDelaySeconds: v.optional(seconds),
  taskKillGracePeriodSeconds: v.optional(seconds),
  killSelection: v.optional(v.picklist(['YOUNGEST_FIRST', 'OLDEST_FIRST'])),
  unreachableStrategy: v.optional(v.union([v.literal('disabled'), v.looseObject({})])),
  residency: v.optional(v.looseObject({})),
  secrets: v.optional(mapOf(v.looseObject({}))),
  ipAddress: v.optional(v.looseObject({})),
  storeUrls: v.optional(texts),
  role: v.optional(v.string()),
  version: v.optional(v.string()),
});
export type AppDefinition = v.InferOutput<typeof appDefinition>;

export type ReadApp =
  | { readonly kind: 'app'; readonly app: AppDefinition }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

/** An app of a file's text, JSON or YAML by the file's name; every problem names the file and the place in it. Pure. */
export function readAppDefinition(file: string, text: string, env: Readonly<Record<string, string | undefined>>): ReadApp {
  const parsed = /\.ya?ml$/.test(file) ? parsedYaml(text, env) : parsedJson(text, env);
  if (parsed.kind === 'wrong') return { kind: 'wrong', problems: parsed.problems.map((problem) => `${file}: ${problem}`) };
  const checked = v.safeParse(appDefinition, parsed.value);
  if (!checked.success) return { kind: 'wrong', problems: faultLines(checked.issues).map((fault) => `${file}: ${fault}`) };
  const { id } = checked.output;
  return { kind: 'app', app: { ...checked.output, id: id.startsWith('/') ? id : `/${id}` } };
}

type ParsedText = { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'wrong'; readonly problems: readonly string[] };

function parsedJson(text: string, env: Readonly<Record<string, string | undefined>>): ParsedText {
  const expanded = expandJson(text, env);
  if (expanded.kind === 'missing') return { kind: 'wrong', problems: expanded.names.map(missing) };
  try {
    return { kind: 'value', value: JSON.parse(expanded.text) };
  } catch (error) {
    return { kind: 'wrong', problems: [`it is no JSON: ${error instanceof Error ? error.message : error}`] };
  }
}

function parsedYaml(text: string, env: Readonly<Record<string, string | undefined>>): ParsedText {
  const names = missingNames(text, env);
  if (names.length > 0) return { kind: 'wrong', problems: names.map(missing) };
  try {
    return { kind: 'value', value: expandTexts(parseYaml(text), env) };
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    return { kind: 'wrong', problems: [`it is no YAML: ${error.message.split('\n')[0]}`] };
  }
}

const missing = (name: string) => `%%${name}%%: the environment has no ${name}`;
