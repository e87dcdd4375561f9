import { OperationError } from '../daemon/operation-error.ts';
import type { ConsulAnswer, ConsulRequest, ConsulTransport } from './transport.ts';

/** Consul answered, and the answer was no. */
export class ConsulRefusal extends OperationError {
  readonly status: number;

  constructor(request: ConsulRequest, answer: ConsulAnswer, subject: string) {
    super(`Consul ${request.method} ${request.path}`, { subject, hint: `${answer.status} ${answer.body.toString('utf8', 0, 300).trim()}` });
    this.status = answer.status;
  }

  /** The token does not allow it, or there is none (Consul answers 403, and 401 behind some proxies). */
  get isForbidden(): boolean {
    return this.status === 403 || this.status === 401;
  }
}

/** How long a plain request may take, milliseconds. */
export const REQUEST_TIMEOUT_MS = 5_000;

/**
 * One request that must succeed; answers the parsed JSON, or null for an empty answer.
 * @throws ConsulRefusal for a status other than 2xx, OperationError when there is no answer or it is not JSON.
 */
export async function call(
  transport: ConsulTransport,
  request: Omit<ConsulRequest, 'timeoutMs'> & { readonly timeoutMs?: number },
  signal: AbortSignal,
): Promise<unknown> {
  const timed = { timeoutMs: REQUEST_TIMEOUT_MS, ...request };
  return jsonBody(timed, await answered(transport, timed, signal), transport.subject);
}

/** One request that must succeed. @throws ConsulRefusal for a status other than 2xx, OperationError when there is no answer. */
export async function answered(transport: ConsulTransport, request: ConsulRequest, signal: AbortSignal): Promise<ConsulAnswer> {
  const answer = await transport.send(request, signal);
  if (answer.status < 200 || answer.status > 299) throw new ConsulRefusal(request, answer, transport.subject);
  return answer;
}

/** The answer's JSON, null when it is empty. @throws OperationError when it is not JSON. */
export function jsonBody(request: ConsulRequest, answer: ConsulAnswer, subject: string): unknown {
  if (answer.body.length === 0) return null;
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch (cause) {
    throw new OperationError(`Consul ${request.method} ${request.path}`, { subject, cause, hint: 'the answer is not JSON' });
  }
}
