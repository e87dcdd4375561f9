/** Runs every bench script, one after the other: `npm run bench`. Each prints its figures and writes them to bench/results/. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';

/** What is no bench but a part of them. */
const PARTS = [
  'run',
  'quantiles',
  'report',
  'connections',
  'probe',
  'consul-writes',
  'static-instances',
  'edge-follow',
  'edge-contestants',
  'template-contestants',
];

const folder = fileURLToPath(new URL('.', import.meta.url));
const benches = readdirSync(folder).filter((name) => name.endsWith('.js') && !PARTS.includes(basename(name, '.js')));
let failed = 0;
for (const name of benches.sort()) {
  console.log(`\n== ${name.replace(/\.js$/, '')}`);
  const { exitCode } = await execaNode(`${folder}${name}`, [], { stdio: 'inherit', reject: false });
  if (exitCode !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
