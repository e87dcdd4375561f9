import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { innerSignal } from '../daemon/inner-signal.ts';

/** How long one question may take, milliseconds. */
const ANSWER_WITHIN_MS = 5_000;

export interface HttpQuestion {
  readonly port: number;
  readonly path: string;
  /** The Host header, when it is not the address. */
  readonly host?: string;
  readonly agent?: Agent;
}

/** A GET to this machine; answers the text. @throws Error for a status other than 200, and when there is no answer in time. */
export async function askHttp({ port, path, host, agent }: HttpQuestion, signal: AbortSignal): Promise<string> {
  using within = innerSignal(signal, ANSWER_WITHIN_MS);
  return await new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    get({ host: '127.0.0.1', port, path, headers, agent, signal: within.signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${response.statusCode} ${text.slice(0, 200).trim()}`));
      });
    }).on('error', reject);
  });
}

/** Many GETs, `clients` at a time on kept connections; their texts. */
export async function askHttpTimes(
  question: HttpQuestion,
  times: number,
  clients: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  try {
    return await Promise.all(Array.from({ length: times }, () => askHttp({ ...question, agent }, signal)));
  } finally {
    agent.destroy();
  }
}

/** Sends a line to a TCP port of this machine; answers everything that comes back. @throws Error when nothing does. */
export async function askTcp(port: number, line: string, signal: AbortSignal): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  const abort = () => socket.destroy(new Error('told to end'));
  signal.addEventListener('abort', abort, { once: true });
  socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
  try {
    socket.end(`${line}\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    if (text === '') throw new Error('the connection was closed without an answer');
    return text;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
