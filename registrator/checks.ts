import type { Check, CheckStatus, Probe } from '../consul/registration.ts';
import { durationMs } from '../daemon/values.ts';
import type { Refused } from './attributes.ts';
import type { PortMetadata } from './metadata.ts';
import { splitEscaped } from './tags.ts';

/** What a check is made on. */
export interface Checked {
  readonly serviceId: string;
  readonly address: string;
  readonly port: number;
  readonly containerId: string;
  readonly containerPort: number;
}

/** What the agent can do. */
export interface CheckAbilities {
  /** It takes script checks over HTTP. */
  readonly scripts: boolean;
  /** It knows the name that a certificate is checked against (Consul 1.10 and later). */
  readonly serverName: boolean;
}

/** What holds for all checks but where a key says otherwise. */
interface CheckDefaults {
  /** A Go duration. */
  readonly deregisterAfter?: string;
}

interface Making extends Checked {
  readonly abilities: CheckAbilities;
  readonly get: (key: string) => string | undefined;
  readonly period: { readonly interval: string; readonly timeout?: string };
  readonly refuse: (key: string, reason: string) => undefined;
}

/** Key of a check → what it probes, in the order gliderlabs registrator looks at them. A new kind is a row. */
const PROBES: Readonly<Record<string, (value: string, making: Making) => Probe | undefined>> = {
  check_http: (path, making) => httpProbe('http', path, making),
  check_https: (path, making) => httpProbe('https', path, making),
  check_cmd: (command, making) =>
    scriptProbe('check_cmd', ['check-cmd', making.containerId.slice(0, 12), String(making.containerPort), command], making),
  check_script: (script, making) => scriptProbe('check_script', words(script).map(interpolated(making)), making),
  check_ttl: (ttl, { refuse }) => (isPeriod(ttl) ? { kind: 'ttl', ttl } : refuse('check_ttl', `${A_DURATION}: there is no such check`)),
  check_tcp: (_, making) => ({ kind: 'tcp', address: hostAndPort(making), ...making.period }),
  check_grpc: (_, making) => grpcProbe(making),
};

const A_DURATION = 'it must be a duration such as 10s or 1m30s, at most 100 years';

/** All checks that the keys of a port ask for, and what of them was refused. */
export function parseChecks(
  metadata: PortMetadata,
  checked: Checked,
  abilities: CheckAbilities & CheckDefaults,
): { checks: readonly Check[]; refused: readonly Refused[] } {
  const refused: Refused[] = [];
  const refuse = (key: string, reason: string): undefined => {
    refused.push({ option: `SERVICE_${key.toUpperCase()}`, value: metadata.get(key) ?? '', reason });
  };
  const asked = Object.entries(PROBES).filter(([key]) => metadata.get(key) !== undefined);
  if (asked.length === 0) return { checks: [], refused };
  const timeout = duration('check_timeout', metadata, refuse);
  const period = { interval: duration('check_interval', metadata, refuse) ?? '10s', ...(timeout !== undefined && { timeout }) };
  const making: Making = { ...checked, abilities, get: metadata.get, period, refuse };
  const probes = asked.flatMap(([key, probeOf]) => {
    const probe = probeOf(metadata.get(key) ?? '', making);
    return probe === undefined ? [] : [{ key, probe }];
  });
  const common = commonParts(metadata, abilities, refuse);
  return { checks: withIds(checked.serviceId, probes).map((check) => ({ ...check, ...common })), refused };
}

/**
 * The only check of a service, and the one that its container refreshes, has the ID that gliderlabs registrator gives it
 * (`service:ID`), since others may know it by that. The further ones begin otherwise: `service:ID:tcp` is that of the service `ID:tcp`.
 */
function withIds(serviceId: string, probes: readonly { key: string; probe: Probe }[]): readonly Check[] {
  const plain = probes.find(({ probe }) => probe.kind === 'ttl') ?? probes[0];
  return probes.map((one) => {
    const kind = one.key.replace('check_', '');
    return {
      id: one === plain ? `service:${serviceId}` : furtherCheckId(kind, serviceId),
      name: `Service ${kind} check`,
      probe: one.probe,
    };
  });
}

/** `kind` has no colon, so no two services have one in common. */
export function furtherCheckId(kind: string, serviceId: string): string {
  return `toots:${kind}:${serviceId}`;
}

function commonParts(metadata: PortMetadata, defaults: CheckDefaults, refuse: Making['refuse']): Pick<Check, 'status' | 'deregisterAfter'> {
  const status = metadata.get('check_initial_status');
  const deregisterAfter = duration('check_deregister_after', metadata, refuse) ?? defaults.deregisterAfter;
  const isKnown = (text: string): text is CheckStatus => text === 'passing' || text === 'warning' || text === 'critical';
  if (status !== undefined && !isKnown(status))
    refuse('check_initial_status', 'it must be passing, warning or critical: critical is taken');
  return {
    ...(status !== undefined && isKnown(status) && { status }),
    ...(deregisterAfter !== undefined && { deregisterAfter }),
  };
}

function duration(key: string, metadata: PortMetadata, refuse: Making['refuse']): string | undefined {
  const value = metadata.get(key);
  return value === undefined || isPeriod(value) ? value : refuse(key, `${A_DURATION}: the default is taken`);
}

const SHORTEST_MS = 1e-6;
const LONGEST_MS = 100 * 365 * 24 * 3_600_000;

/** A Go duration that Consul takes: with its unit, of a nanosecond or more, and within the range of Go's durations (292 years). */
export function isPeriod(text: string): boolean {
  const ms = durationMs(text) ?? 0;
  return ms >= SHORTEST_MS && ms <= LONGEST_MS;
}

function httpProbe(scheme: 'http' | 'https', path: string, making: Making): Probe | undefined {
  const url = `${scheme}://${hostAndPort(making)}${path.startsWith('/') ? '' : '/'}${path}`;
  if (/[\s\p{Cc}]/u.test(path) || !URL.canParse(url))
    return making.refuse(`check_${scheme}`, 'it must be a path such as /health: there is no such check');
  const option = (name: string) => making.get(`check_${scheme}_${name}`);
  const [method, body, header] = [option('method'), option('body'), option('header')];
  const headers = header === undefined ? undefined : parseHeaders(`check_${scheme}_header`, header, making);
  return {
    kind: 'http',
    url,
    ...(method !== undefined && { method }),
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body }),
    ...(scheme === 'https' && { tls: tlsOf(making) }),
    ...making.period,
  };
}

/** `Name: value, Name: value`; `\,` is a comma of a value. */
function parseHeaders(key: string, text: string, { refuse }: Making): Record<string, string[]> | undefined {
  const headers: Record<string, string[]> = {};
  for (const part of splitEscaped(text)) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(\P{Cc}*)$/u.exec(part) ?? [];
    if (name === undefined || value === undefined)
      return refuse(key, 'it must be Name: value, and a comma between two: the check is made without');
    headers[name] = [...(headers[name] ?? []), value];
  }
  return headers;
}

function grpcProbe(making: Making): Probe {
  const service = making.get('check_grpc_service');
  return {
    kind: 'grpc',
    address: service === undefined ? hostAndPort(making) : `${hostAndPort(making)}/${service}`,
    ...(making.get('check_grpc_use_tls') !== undefined && { tls: tlsOf(making) }),
    ...making.period,
  };
}

function tlsOf({ get, refuse, abilities }: Making): { skipVerify?: boolean; serverName?: string } {
  const serverName = get('check_tls_server_name');
  if (serverName !== undefined && !abilities.serverName)
    refuse('check_tls_server_name', 'the agent is older than Consul 1.10 and does not know it: the check is made without');
  return {
    ...(get('check_tls_skip_verify') !== undefined && { skipVerify: true }),
    ...(serverName !== undefined && abilities.serverName && { serverName }),
  };
}

function scriptProbe(key: string, command: readonly string[], { abilities, period, refuse }: Making): Probe | undefined {
  if ((command[0] ?? '') === '') return refuse(key, 'it must be a command line whose quotes are paired: there is no such check');
  if (abilities.scripts) return { kind: 'script', words: command, ...period };
  return refuse(key, 'the agent takes no script checks (enable_script_checks): the service is registered without it');
}

/** The words of a command line: blanks part them, quotes and backslashes keep them together. None where a quote is not paired. */
function words(script: string): readonly string[] {
  if (!/^(?:[^"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')*$/s.test(script)) return [];
  return [...script.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs)].map(([word]) =>
    word.replace(
      /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
      (_, single?: string, double?: string, escaped?: string) => single ?? double?.replace(/\\(["\\$])/g, '$1') ?? escaped ?? '',
    ),
  );
}

function interpolated({ address, port }: Checked): (word: string) => string {
  return (word) => word.replaceAll('$SERVICE_IP', address).replaceAll('$SERVICE_PORT', String(port));
}

function hostAndPort({ address, port }: Checked): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
