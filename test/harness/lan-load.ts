import type { Lan } from './cluster-host.ts';

/** Requests of clients on a network, each on a connection of its own. */
export interface LanLoad extends AsyncDisposable {
  /** Those that were answered with 200, and the others with the reason, since the start or the last call. */
  readonly take: () => { readonly good: number; readonly bad: readonly string[] };
}

/** Asks again and again; a line for each answer. */
const CLIENT = `
const { request } = require('node:http');
const [url, host] = process.argv.slice(1);
const once = () => new Promise((resolve) => {
  const asked = request(url, { headers: { host }, agent: false, timeout: 20000 }, (response) => {
    response.resume().on('end', () => resolve(String(response.statusCode))).on('error', (error) => resolve(error.message));
  });
  asked.on('timeout', () => asked.destroy(new Error('timeout'))).on('error', (error) => resolve(error.message)).end();
});
const client = async () => { for (;;) { console.log(new Date().toISOString() + ' ' + await once()); await new Promise((go) => setTimeout(go, 20)); } };
for (let i = 0; i < 4; i += 1) client();
`;

/** Keeps asking `url` for `host` from outside of the hosts, until it is disposed of. */
export async function startLanLoad(lan: Lan, url: string, host: string): Promise<LanLoad> {
  const program = await lan.start(process.execPath, ['-e', CLIENT, url, host]);
  let seen = 0;
  return {
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
