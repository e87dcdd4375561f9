import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { PROJECT_FOLDER } from '../test/harness/program.ts';

/** A page of figures: each is printed when it is measured, and the page is written at the end. */
export interface Report {
  readonly row: (what: string, result: string) => void;
  /** Writes `bench/results/NAME.md`; where only a part of the bench ran, the figures of the others stay as they were. */
  readonly write: (about: readonly string[], isPart: boolean) => Promise<void>;
}

export function createReport(name: string, title: string): Report {
  const loadBefore = (loadavg()[0] ?? 0).toFixed(1);
  const page = join(PROJECT_FOLDER, 'bench', 'results', `${name}.md`);
  const rows = new Map<string, string>();
  return {
    row: (what, result) => {
      rows.set(what, `| ${what} | ${result} |`);
      console.log(`${what}: ${result}`);
    },
    write: async (about, isPart) => {
      const before = isPart ? rowsOf(await readFile(page, 'utf8').catch(() => '')) : new Map<string, string>();
      const machine = `Node ${process.version}, ${cpus().length} cores (load ${loadBefore} before it began)`;
      const head = `\`npm run build && node dist/bench/${name}.js\`, ${new Date().toISOString().slice(0, 10)}, ${machine},`;
      const lines = [`# ${title}`, '', head, ...about, '', '| what | result |', '|---|---|', ...new Map([...before, ...rows]).values(), ''];
      await writeFile(page, lines.join('\n'));
    },
  };
}

/** The rows of an earlier page, by what they measure. */
function rowsOf(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => (/^\| (?!what )/.test(line) ? [[line.split(' | ')[0]?.slice(2) ?? '', line] as const] : [])),
  );
}
