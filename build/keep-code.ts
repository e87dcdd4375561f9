/** Has programs run once, as short as can be, so that Node's compiled code of them is kept. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const TEMPLATE = '{% for s in services() %}{% for i in service(s.name) %}{{ i | toJSON }}{% endfor %}{% endfor %}';

/** What a program is asked to do: its help; of the templater, which does its work within a run, a template of all services. */
export type Run = 'help' | 'template';

/** Runs the program that `start` starts with these flags of Node. @throws Error when it fails, with what it said. */
export async function keepCode(start: string, flags: readonly string[], run: Run): Promise<void> {
  const words = async (args: readonly string[]) =>
    await promisify(execFile)(process.execPath, [...flags, start, ...args], { env: { ...process.env, TOOTS_KEEP_CODE: '' } });
  if (run === 'help') {
    await words(['--help']);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'toots-build-'));
  const catalog = smallCatalog();
  try {
    await once(catalog.listen(0, '127.0.0.1'), 'listening');
    const { port } = catalog.address() as AddressInfo;
    await writeFile(join(folder, 't'), TEMPLATE);
    await words([
      ...['-once', '-log-level', 'warn'],
      ...['-consul-addr', `http://127.0.0.1:${port}`, '-template', `${folder}/t:${folder}/out`],
    ]);
  } finally {
    catalog.close();
    catalog.closeAllConnections();
    await rm(folder, { recursive: true });
  }
}

/** Says what a Consul with one service says, which has no instance: a build has no Consul. */
function smallCatalog() {
  return createServer(({ url = '' }, answer) => {
    answer.setHeader('content-type', 'application/json').setHeader('x-consul-index', '1');
    answer.end(url.startsWith('/v1/catalog/services') ? '{"web":[]}' : '[]');
  });
}
