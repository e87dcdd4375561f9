import type { Lan } from './cluster-host.ts';
import { until } from './until.ts';

/** Clients of a load, each with one request at a time. */
export const CLIENTS = 4;
/** How long a client waits for an answer, milliseconds. */
const GIVES_UP_AFTER_MS = 20_000;

/** Requests of clients on a network, each on a connection of its own. */
export interface LanLoad extends AsyncDisposable {
  /** Those that were answered with 200, and the others with the reason, since the start or the last call. */
  readonly take: () => { readonly good: number; readonly bad: readonly string[] };
  /** Waits until every client has asked and been answered, or has given up, after the call: what was under way is counted then. */
  readonly settled: () => Promise<void>;
}

/** Asks again and again; a line for each answer. */
const CLIENT = `
const { request } = require('node:http');
const [url, host] = process.argv.slice(1);
const once = () => new Promise((resolve) => {
  const asked = request(url, { headers: { host }, agent: false, timeout: ${GIVES_UP_AFTER_MS} }, (response) => {
    response.resume().on('end', () => resolve(String(response.statusCode))).on('error', (error) => resolve(error.message));
  });
  asked.on('timeout', () => asked.destroy(new Error('timeout'))).on('error', (error) => resolve(error.message)).end();
});
const client = async (number) => { for (;;) { const said = await once(); console.log(new Date().toISOString() + ' ' + number + ' ' + said); await new Promise((go) => setTimeout(go, 20)); } };
for (let i = 0; i < ${CLIENTS}; i += 1) client(i);
`;

/** Keeps asking `url` for `host` from outside of the hosts, until it is disposed of. */
export async function startLanLoad(lan: Lan, url: string, host: string): Promise<LanLoad> {
  const program = await lan.start(process.execPath, ['-e', CLIENT, url, host]);
  let seen = 0;
  const answersOf = (client: number) => program.output().split(` ${client} `).length - 1;
  return {
    settled: async () => {
      const before = Array.from({ length: CLIENTS }, (_, client) => answersOf(client));
      // The first may have been asked before.
      await until(() => before.every((count, client) => answersOf(client) >= count + 2), 3 * GIVES_UP_AFTER_MS, 'every client is answered');
    },
    take: () => {
      const whole = program.output().slice(0, program.output().lastIndexOf('\n') + 1);
      const lines = whole
        .slice(seen)
        .split('\n')
        .filter((line) => line !== '');
      seen = whole.length;
      const bad = lines.filter((line) => !line.endsWith(' 200'));
      return { good: lines.length - bad.length, bad };
    },
    [Symbol.asyncDispose]: async () => {
      program.signal('SIGKILL');
      await program.ended;
    },
  };
}
