import * as v from 'valibot';
import { mapOf } from '../daemon/fields.ts';
import { VARIANT_META } from '../model/instance.ts';
import { digestOf } from './check-digest.ts';

/** Meta keys of every registration of ours. */
export const META = {
  /** The registrator that may change and remove it. */
  owner: 'toots-owner',
  /** Full ID of the container it came from. */
  container: 'toots-container',
  /** The deployment it came from: what an A/B split is made of. */
  variant: VARIANT_META,
} as const;

/** A service instance as its agent is told it, complete. */
export interface Registration {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Where else it can be reached. Consul adds the address itself, as `lan_ipv4` and `wan_ipv4` or the like. */
  readonly taggedAddresses: TaggedAddresses;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  /** Shares in DNS SRV answers; Consul wants at least 1. */
  readonly weights: Weights;
  /** Others may change the tags in the catalog; ours are then set once and not kept. */
  readonly tagsAreFree: boolean;
  readonly checks: readonly Check[];
}

/** Consul's own words: `lan_ipv4`, `lan_ipv6`, `wan_ipv4`, `wan_ipv6`, `wan`. */
export type TaggedAddresses = Readonly<Record<string, { readonly address: string; readonly port: number }>>;

export interface Weights {
  readonly passing: number;
  readonly warning: number;
}

export type CheckStatus = 'passing' | 'warning' | 'critical';

/** One check of a registration. */
export interface Check {
  /** Unique on the agent. */
  readonly id: string;
  readonly name: string;
  readonly probe: Probe;
  /** Until the first probe has answered; Consul starts with critical. */
  readonly status?: CheckStatus;
  /** The service is taken out after being critical for so long; a Go duration. */
  readonly deregisterAfter?: string;
}

/** How often a probe is made, and how long it may take; Go durations. */
interface Period {
  readonly interval: string;
  readonly timeout?: string;
}

interface Tls {
  readonly skipVerify?: boolean;
  readonly serverName?: string;
}

/** What a check does. `reported` does nothing: whoever registered it tells its status. */
export type Probe =
  | (Period & {
      readonly kind: 'http';
      readonly url: string;
      readonly method?: string;
      readonly headers?: Readonly<Record<string, readonly string[]>>;
      readonly body?: string;
      readonly tls?: Tls;
    })
  | (Period & { readonly kind: 'tcp'; readonly address: string })
  | (Period & { readonly kind: 'grpc'; readonly address: string; readonly tls?: Tls })
  | (Period & { readonly kind: 'script'; readonly words: readonly string[] })
  | { readonly kind: 'ttl'; readonly ttl: string }
  | { readonly kind: 'reported' };

/** What an agent holds of an instance; whoever registered it. */
export interface Registered {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly taggedAddresses: TaggedAddresses;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly weights: Weights;
  readonly tagsAreFree: boolean;
  /** By ID, without the one of maintenance. */
  readonly checks: ReadonlyMap<string, RegisteredCheck>;
  /** Why it is in maintenance, as whoever did it said; absent when it is not. */
  readonly maintenance?: string;
}

export interface RegisteredCheck {
  readonly status: CheckStatus;
  /** Of the {@link Check} it was registered with; absent when it was not by us. */
  readonly digest?: string;
}

/** The TTL of a check that is told when it changes, and never goes stale: ten years. */
const TOLD_TTL = '87600h';

/** How the ID of the check begins that an agent makes for maintenance. */
const MAINTENANCE = '_service_maintenance:';

/**
 * The body of `PUT /v1/agent/service/register`. With a reason it is in maintenance from the first moment: the check is the one that
 * Consul itself makes for that, and takes away when maintenance ends.
 */
export function encode(registration: Registration, maintenance?: string): object {
  const { id, name, address, port, taggedAddresses, tags, meta, weights, tagsAreFree, checks } = registration;
  const tagged = Object.entries(taggedAddresses).map(([tag, other]) => [tag, { Address: other.address, Port: other.port }]);
  return {
    ID: id,
    Name: name,
    Address: address,
    Port: port,
    ...(tagged.length > 0 && { TaggedAddresses: Object.fromEntries(tagged) }),
    Tags: tags,
    Meta: meta,
    Weights: { Passing: weights.passing, Warning: weights.warning },
    EnableTagOverride: tagsAreFree,
    Checks: [...checks.map(encodeCheck), ...(maintenance === undefined ? [] : [maintenanceCheck(id, maintenance)])],
  };
}

function maintenanceCheck(serviceId: string, reason: string): object {
  return { CheckID: `${MAINTENANCE}${serviceId}`, Name: 'Service Maintenance Mode', Notes: reason, Status: 'critical', TTL: TOLD_TTL };
}

/** An agent does not tell how a check is made, so the notes say it: in words, and as a digest to compare by. */
function encodeCheck(check: Check): object {
  return {
    CheckID: check.id,
    Name: check.name,
    Notes: `${inWords(check.probe)} [${digestOf(check)}]`,
    ...(check.status !== undefined && { Status: check.status }),
    ...(check.deregisterAfter !== undefined && { DeregisterCriticalServiceAfter: check.deregisterAfter }),
    ...encodeProbe(check.probe),
  };
}

function encodeProbe(probe: Probe): object {
  switch (probe.kind) {
    case 'http':
      return {
        HTTP: probe.url,
        ...(probe.method !== undefined && { Method: probe.method }),
        ...(probe.headers !== undefined && { Header: probe.headers }),
        ...(probe.body !== undefined && { Body: probe.body }),
        ...encodeTls(probe.tls),
        ...encodePeriod(probe),
      };
    case 'tcp':
      return { TCP: probe.address, ...encodePeriod(probe) };
    case 'grpc':
      return { GRPC: probe.address, ...(probe.tls !== undefined && { GRPCUseTLS: true }), ...encodeTls(probe.tls), ...encodePeriod(probe) };
    case 'script':
      return { Args: probe.words, ...encodePeriod(probe) };
    case 'ttl':
      return { TTL: probe.ttl };
    case 'reported':
      return { TTL: TOLD_TTL };
  }
}

/** Consul before 1.10 refuses a body with a field it does not know, so a field is sent only where it says something. */
function encodeTls(tls: Tls = {}): object {
  return {
    ...(tls.skipVerify && { TLSSkipVerify: true }),
    ...(tls.serverName !== undefined && { TLSServerName: tls.serverName }),
  };
}

function encodePeriod({ interval, timeout }: Period): object {
  return { Interval: interval, ...(timeout !== undefined && { Timeout: timeout }) };
}

function inWords(probe: Probe): string {
  switch (probe.kind) {
    case 'http':
      return `${probe.method ?? 'GET'} ${probe.url} every ${probe.interval}`;
    case 'tcp':
      return `tcp ${probe.address} every ${probe.interval}`;
    case 'grpc':
      return `grpc ${probe.address} every ${probe.interval}`;
    case 'script':
      return `${probe.words[0] ?? ''} every ${probe.interval}`;
    case 'ttl':
      return `told at least every ${probe.ttl}`;
    case 'reported':
      return 'told at every change';
  }
}

/** Keyed by ID, which may be anything, `__proto__` too: only the values are read. */
const valuesOf = <Value extends v.GenericSchema>(value: Value) =>
  v.pipe(
    v.custom<object | null | undefined>((json) => json === undefined || typeof json === 'object', 'must be an object'),
    v.transform((json) => Object.values(json ?? {})),
    v.array(value),
  );

const agentServices = valuesOf(
  v.object({
    ID: v.string(),
    Service: v.string(),
    Address: v.optional(v.string(), ''),
    Port: v.optional(v.number(), 0),
    TaggedAddresses: v.nullish(mapOf(v.object({ Address: v.string(), Port: v.optional(v.number(), 0) }))),
    Tags: v.nullish(v.array(v.string())),
    Meta: v.nullish(mapOf(v.string())),
    Weights: v.optional(v.object({ Passing: v.number(), Warning: v.number() })),
    EnableTagOverride: v.optional(v.boolean(), false),
  }),
);

const agentCheck = v.object({
  CheckID: v.string(),
  ServiceID: v.optional(v.string(), ''),
  Status: v.string(),
  Notes: v.optional(v.string(), ''),
});

const agentChecks = valuesOf(agentCheck);

const serviceHealth = v.object({ Checks: v.nullish(v.array(agentCheck)) });

/** What `GET /v1/agent/services` and `/v1/agent/checks` answered, by service ID. @throws ValiError when it is something else. */
export function decode(services: unknown, checks: unknown): ReadonlyMap<string, Registered> {
  const checksOf = new Map<string, v.InferOutput<typeof agentChecks>[number][]>();
  for (const check of v.parse(agentChecks, checks)) {
    checksOf.set(check.ServiceID, [...(checksOf.get(check.ServiceID) ?? []), check]);
  }
  return new Map(
    v.parse(agentServices, services).map((service) => {
      const own = checksOf.get(service.ID) ?? [];
      const maintenance = own.find(({ CheckID }) => CheckID.startsWith(MAINTENANCE));
      const registered: Registered = {
        id: service.ID,
        name: service.Service,
        address: service.Address,
        port: service.Port,
        taggedAddresses: Object.fromEntries(
          Object.entries(service.TaggedAddresses ?? {}).map(([tag, { Address, Port }]) => [tag, { address: Address, port: Port }]),
        ),
        tags: service.Tags ?? [],
        meta: service.Meta ?? {},
        weights: { passing: service.Weights?.Passing ?? 1, warning: service.Weights?.Warning ?? 1 },
        tagsAreFree: service.EnableTagOverride,
        checks: new Map(
          own.filter((check) => check !== maintenance).map((check) => [check.CheckID, decodeCheck(check.Status, check.Notes)]),
        ),
        ...(maintenance !== undefined && { maintenance: maintenance.Notes }),
      };
      return [service.ID, registered];
    }),
  );
}

/** Why a service is in maintenance, as `GET /v1/agent/health/service/id/ID` tells its checks. @throws ValiError when it is something else. */
export function decodeMaintenance(json: unknown): string | undefined {
  const { Checks } = v.parse(serviceHealth, json);
  return Checks?.find(({ CheckID }) => CheckID.startsWith(MAINTENANCE))?.Notes;
}

function decodeCheck(status: string, notes: string): RegisteredCheck {
  const digest = / \[([0-9a-f]{12})\]$/.exec(notes)?.[1];
  const known = status === 'passing' || status === 'warning' ? status : 'critical';
  return { status: known, ...(digest !== undefined && { digest }) };
}
