import * as v from 'valibot';
import { faultLines } from '../daemon/fault-lines.ts';
import { mapOf } from '../daemon/fields.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { answered, ConsulRefusal, call, jsonBody, REQUEST_TIMEOUT_MS } from './call.ts';
import { type CheckStatus, decode, decodeMaintenance, encode, type Registered, type Registration } from './registration.ts';
import type { ConsulRequest, ConsulTransport } from './transport.ts';

/** What an agent says of itself. */
export interface AgentSelf {
  readonly node: string;
  readonly version: string;
  /** The address it tells the others: that of its host. */
  readonly address: string;
  /** All it tells, by Consul's words: `lan_ipv4`, `lan_ipv6`, `wan`, …. */
  readonly taggedAddresses: Readonly<Record<string, string>>;
  /** Whether it takes script checks over HTTP. */
  readonly takesScripts: boolean;
}

/** The local agent: what is registered with it, and how to change that. Every call throws what {@link call} throws. */
export interface ConsulAgent {
  readonly self: (signal: AbortSignal) => Promise<AgentSelf>;
  /** By service ID, whoever registered it. The very same map as long as the agent answers the same. */
  readonly registered: (signal: AbortSignal) => Promise<ReadonlyMap<string, Registered>>;
  /** With a reason: in maintenance from the first moment. */
  readonly register: (registration: Registration, signal: AbortSignal, maintenance?: string) => Promise<void>;
  /** An ID that is not there is no error. */
  readonly deregister: (id: string, signal: AbortSignal) => Promise<void>;
  readonly deregisterCheck: (checkId: string, signal: AbortSignal) => Promise<void>;
  readonly tellStatus: (checkId: string, status: CheckStatus, output: string, signal: AbortSignal) => Promise<void>;
  /** Why a service is in maintenance, asked anew; undefined when it is not, or not there. */
  readonly maintenanceOf: (id: string, signal: AbortSignal) => Promise<string | undefined>;
  /** On for a reason, off without one. */
  readonly maintain: (id: string, reason: string | undefined, signal: AbortSignal) => Promise<void>;
}

const self = v.object({
  Config: v.object({ NodeName: v.string(), Version: v.string() }),
  Member: v.object({ Addr: v.string() }),
  DebugConfig: v.nullish(v.object({ EnableRemoteScriptChecks: v.nullish(v.boolean()), TaggedAddresses: v.nullish(mapOf(v.string())) })),
});

const PLAIN = { method: 'GET', timeoutMs: REQUEST_TIMEOUT_MS } as const;

/** Speaks to one agent. */
export function createAgent(transport: ConsulTransport): ConsulAgent {
  let last: { readonly bodies: readonly Buffer[]; readonly read: ReadonlyMap<string, Registered> } | undefined;
  const get = (path: string, signal: AbortSignal) => call(transport, { method: 'GET', path }, signal);
  const put = async (path: string, rest: Pick<ConsulRequest, 'query' | 'body'>, signal: AbortSignal): Promise<void> => {
    const request: ConsulRequest = { method: 'PUT', path, timeoutMs: REQUEST_TIMEOUT_MS, ...rest };
    await answered(transport, request, signal);
  };
  const removing = async (path: string, signal: AbortSignal): Promise<void> => {
    try {
      await put(path, {}, signal);
    } catch (error) {
      if (!isUnknownId(error)) throw error;
    }
  };
  return {
    self: async (signal) => {
      const json = await get('/v1/agent/self', signal);
      const { Config, Member, DebugConfig } = parsed('/v1/agent/self', transport, () => v.parse(self, json));
      return {
        node: Config.NodeName,
        version: Config.Version,
        address: Member.Addr,
        taggedAddresses: DebugConfig?.TaggedAddresses ?? {},
        takesScripts: DebugConfig?.EnableRemoteScriptChecks ?? false,
      };
    },
    registered: async (signal) => {
      const requests = (['/v1/agent/services', '/v1/agent/checks'] as const).map((path) => ({ ...PLAIN, path }));
      const answers = await Promise.all(requests.map((request) => answered(transport, request, signal)));
      if (answers.some(({ body }, index) => last?.bodies[index]?.equals(body) !== true)) {
        const [services, checks] = answers.map((answer, index) =>
          jsonBody(requests[index] ?? { ...PLAIN, path: '' }, answer, transport.subject),
        );
        const read = parsed('/v1/agent/services', transport, () => decode(services, checks));
        last = { bodies: answers.map(({ body }) => body), read };
      }
      return last?.read ?? new Map();
    },
    register: (registration, signal, maintenance) => put('/v1/agent/service/register', { body: encode(registration, maintenance) }, signal),
    deregister: (id, signal) => removing(`/v1/agent/service/deregister/${encodeURIComponent(id)}`, signal),
    deregisterCheck: (checkId, signal) => removing(`/v1/agent/check/deregister/${encodeURIComponent(checkId)}`, signal),
    tellStatus: (checkId, status, output, signal) =>
      put(`/v1/agent/check/update/${encodeURIComponent(checkId)}`, { body: { Status: status, Output: output } }, signal),
    maintenanceOf: async (id, signal) => {
      const path = `/v1/agent/health/service/id/${encodeURIComponent(id)}`;
      const request: ConsulRequest = { method: 'GET', path, query: { format: 'json' }, timeoutMs: REQUEST_TIMEOUT_MS };
      const answer = await transport.send(request, signal);
      if (answer.status === 404) return undefined;
      // The status tells the health: 429 for warning, 503 for critical.
      if (![200, 429, 503].includes(answer.status)) throw new ConsulRefusal(request, answer, transport.subject);
      const json = jsonBody(request, answer, transport.subject);
      return parsed(path, transport, () => decodeMaintenance(json));
    },
    maintain: (id, reason, signal) =>
      put(`/v1/agent/service/maintenance/${encodeURIComponent(id)}`, { query: { enable: String(reason !== undefined), reason } }, signal),
  };
}

function parsed<Value>(path: string, { subject }: ConsulTransport, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    if (!v.isValiError(cause)) throw cause;
    throw new OperationError(`Consul GET ${path}`, {
      subject,
      cause,
      hint: `not what an agent answers: ${faultLines(cause.issues).join('; ')}`,
    });
  }
}

/** Consul before 1.10 answers 200 for an ID it does not know, later ones 404. */
function isUnknownId(error: unknown): boolean {
  return error instanceof ConsulRefusal && error.status === 404;
}
