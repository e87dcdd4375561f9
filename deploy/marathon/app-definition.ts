import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { didYouMean } from '../../daemon/did-you-mean.ts';
import { expandJson, expandTexts, missingNames } from './macros.ts';

const port = z.number().int().min(0).max(65_535);
const seconds = z.number().int().min(0);
const share = z.number().min(0).max(1);
const texts = z.array(z.string());

/** What of a container's Docker part Marathon takes (its RAML of 1.11, `docker`). */
const docker = z.strictObject({
  image: z.string().min(1),
  network: z.enum(['BRIDGE', 'HOST', 'NONE', 'USER']).optional(),
  forcePullImage: z.boolean().optional(),
  privileged: z.boolean().optional(),
  parameters: z.array(z.strictObject({ key: z.string(), value: z.string() })).optional(),
  portMappings: z
    .array(
      z.strictObject({
        containerPort: port,
        hostPort: port.optional(),
        servicePort: port.optional(),
        protocol: z.enum(['tcp', 'udp', 'udp,tcp', 'tcp,udp']).optional(),
        name: z.string().optional(),
        labels: z.record(z.string(), z.string()).optional(),
        networkNames: texts.optional(),
      }),
    )
    .optional(),
  pullConfig: z.looseObject({}).optional(),
});

const healthCheck = z.strictObject({
  protocol: z.enum(['HTTP', 'HTTPS', 'TCP', 'COMMAND', 'MESOS_HTTP', 'MESOS_HTTPS', 'MESOS_TCP']).optional(),
  path: z.string().optional(),
  portIndex: z.number().int().min(0).optional(),
  port: port.optional(),
  command: z.looseObject({}).optional(),
  gracePeriodSeconds: seconds.optional(),
  intervalSeconds: seconds.optional(),
  timeoutSeconds: seconds.optional(),
  maxConsecutiveFailures: z.number().int().min(0).optional(),
  delaySeconds: seconds.optional(),
  ignoreHttp1xx: z.boolean().optional(),
  ipProtocol: z.enum(['IPv4', 'IPv6']).optional(),
});

/** An app as Marathon's API takes it. A key that it does not know is refused, here as there. */
const appDefinition = z.strictObject({
  id: z
    .string()
    .regex(
      /^\/?([a-z0-9]([a-z0-9.-]*[a-z0-9])?)(\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?)*$/,
      'must be a path of small letters, digits, dots and dashes, such as /shop/web',
    ),
  cmd: z.string().min(1).optional(),
  args: texts.optional(),
  user: z.string().optional(),
  env: z.record(z.string(), z.union([z.string(), z.strictObject({ secret: z.string() })])).optional(),
  instances: z.number().int().min(0).optional(),
  cpus: z.number().min(0).optional(),
  mem: z.number().min(0).optional(),
  disk: z.number().min(0).optional(),
  gpus: z.number().int().min(0).optional(),
  executor: z.string().optional(),
  constraints: z.array(texts.min(2).max(3)).optional(),
  acceptedResourceRoles: texts.optional(),
  container: z
    .strictObject({
      type: z.enum(['DOCKER', 'MESOS']).optional(),
      docker: docker.optional(),
      volumes: z.array(z.looseObject({})).optional(),
      portMappings: docker.shape.portMappings,
      linuxInfo: z.looseObject({}).optional(),
    })
    .optional(),
  networks: z.array(z.looseObject({})).optional(),
  portDefinitions: z.array(z.looseObject({})).optional(),
  ports: z.array(port).optional(),
  requirePorts: z.boolean().optional(),
  fetch: z.array(z.looseObject({})).optional(),
  uris: texts.optional(),
  healthChecks: z.array(healthCheck).optional(),
  check: z.looseObject({}).optional(),
  readinessChecks: z.array(z.looseObject({})).optional(),
  dependencies: texts.optional(),
  upgradeStrategy: z.strictObject({ minimumHealthCapacity: share.optional(), maximumOverCapacity: share.optional() }).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  backoffSeconds: seconds.optional(),
  backoffFactor: z.number().min(1).optional(),
  maxLaunchDelaySeconds: seconds.optional(),
  taskKillGracePeriodSeconds: seconds.optional(),
  killSelection: z.enum(['YOUNGEST_FIRST', 'OLDEST_FIRST']).optional(),
  unreachableStrategy: z.union([z.literal('disabled'), z.looseObject({})]).optional(),
  residency: z.looseObject({}).optional(),
  secrets: z.record(z.string(), z.looseObject({})).optional(),
  ipAddress: z.looseObject({}).optional(),
  storeUrls: texts.optional(),
  role: z.string().optional(),
  version: z.string().optional(),
});
export type AppDefinition = z.output<typeof appDefinition>;

export type ReadApp =
  | { readonly kind: 'app'; readonly app: AppDefinition }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

/** An app of a file's text, JSON or YAML by the file's name; every problem names the file and the place in it. Pure. */
export function readAppDefinition(file: string, text: string, env: Readonly<Record<string, string | undefined>>): ReadApp {
  const parsed = /\.ya?ml$/.test(file) ? parsedYaml(text, env) : parsedJson(text, env);
  if (parsed.kind === 'wrong') return { kind: 'wrong', problems: parsed.problems.map((problem) => `${file}: ${problem}`) };
  const checked = appDefinition.safeParse(parsed.value);
  if (!checked.success)
    return { kind: 'wrong', problems: checked.error.issues.flatMap(issueTexts).map((problem) => `${file}: ${problem}`) };
  const { id } = checked.data;
  return { kind: 'app', app: { ...checked.data, id: id.startsWith('/') ? id : `/${id}` } };
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

function issueTexts(issue: z.core.$ZodIssue): readonly string[] {
  const place = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  if (issue.code !== 'unrecognized_keys') return [`${place}${issue.message}`];
  const known = issue.path.length === 0 ? Object.keys(appDefinition.shape) : [];
  return issue.keys.map((key) => `${place}unknown key ${key}${didYouMean(key, known, '')}`);
}
