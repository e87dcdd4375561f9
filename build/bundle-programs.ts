/**
 * Makes dist/programs/ of what was compiled into dist/: each program as one file with the packages that it always needs, and that file's
 * compiled code. What a program loads at its first use alone stays where it is.
 */
import { copyFileSync, cpSync, renameSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { EDGE_FLAGS } from '../deploy/edge-flags.ts';
import { keepCode, type Run } from './keep-code.ts';

const DIST = fileURLToPath(new URL('..', import.meta.url));
const PROGRAMS = join(DIST, 'programs');
/** Made here, and put in place when all are whole: whoever starts one meanwhile starts the last. */
const MADE = join(DIST, 'programs-made');

interface Bundle {
  /** Node's flags that it is started with, one list a way. */
  readonly starts: readonly (readonly string[])[];
  readonly run: Run;
  /** Packages that few of its runs need, left out. */
  readonly rare: readonly string[];
}

const BUNDLED: Readonly<Record<string, Bundle>> = {
  deploy: { starts: [[]], run: 'help', rare: [] },
  registrator: { starts: [[]], run: 'help', rare: ['pino'] },
  templater: { starts: [[], ['--max-semi-space-size=1'], EDGE_FLAGS], run: 'template', rare: ['pino', 're2js', 'yaml'] },
};

/** A module goes on finding files beside itself: its URL stays what it was in dist/. */
const ownUrls: Plugin = {
  name: 'own-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (path.includes('/node_modules/') || !text.includes('import.meta.url')) return null;
      const url = `require('node:url').pathToFileURL(require('node:path').join(__dirname, '..', ${JSON.stringify(relative(DIST, path))})).href`;
      return { contents: text.replaceAll('import.meta.url', url), loader: 'js' };
    });
  },
};

const TEMPLATES = join(DIST, 'templater/templates');
rmSync(TEMPLATES, { recursive: true, force: true });
cpSync(join(DIST, '../templater/templates'), TEMPLATES, { recursive: true });
rmSync(MADE, { recursive: true, force: true });
for (const [program, { starts, run, rare }] of Object.entries(BUNDLED)) {
  const outfile = join(MADE, `${program}.bundle.cjs`);
  await build({
    entryPoints: [join(DIST, program, 'main.js')],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // What is imported later is a part of the bundle, or `require`d: a script of V8's has no other way.
    supported: { 'dynamic-import': false },
    // With them, the parts of ssh2 that are compiled for a machine, if at all.
    external: [...rare, '*.node', 'cpu-features'],
    // Of what is left, a bug's trace names functions, lines and columns.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    plugins: [ownUrls],
    logLevel: 'warning',
  });
  const start = join(MADE, `${program}.cjs`);
  copyFileSync(join(DIST, 'build/cached-start.cjs'), start);
  for (const flags of starts) await keepCode(start, flags, run);
}
rmSync(PROGRAMS, { recursive: true, force: true });
renameSync(MADE, PROGRAMS);
