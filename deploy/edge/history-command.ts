import * as v from 'valibot';
import { flag } from '../../daemon/values.ts';
import { command, wrongUsage } from '../command.ts';
import { askTemplater, templaterApi } from './templater-api.ts';

const generation = v.object({
  number: v.number(),
  at: v.string(),
  why: v.array(v.string()),
  did: v.string(),
  reasons: v.array(v.string()),
  commands: v.number(),
});
const list = v.object({ pinned: v.nullable(v.number()), generations: v.array(generation) });
const told = v.object({
  ...generation.entries,
  said: v.array(v.object({ command: v.string(), answer: v.string() })),
  diff: v.array(v.string()),
});

type Generation = v.InferOutput<typeof generation>;

/** Lists what the edge was, generation by generation, or tells of one. */
export const historyCommand = command(
  {
    name: 'history',
    usage: '[GENERATION]',
    line: 'What changed at the edge, when and why',
    about:
      'Lists the generations of this edge, the newest last: when, what was done (runtime or reload), and why. With a number: its cause, what it changed, and each command with HAProxy’s answer. Exit 1 when it is not kept.',
    options: { api: templaterApi, json: { flag: 'json', schema: flag(), describe: 'Prints the answer as JSON' } },
    positionals: { least: 0, most: 1 },
  },
  async ({ api, json }, [number]) => {
    if (number !== undefined && !isGeneration(number)) return wrongUsage([notGeneration(number)], 'toots history -help');
    const answer = await askTemplater(api, 'GET', '/history', number === undefined ? {} : { generation: number });
    if (json) process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
    else process.stdout.write(number === undefined ? listText(v.parse(list, answer)) : generationText(v.parse(told, answer)));
    return 0;
  },
);

/** Whether a word is a generation's number. */
export function isGeneration(word: string): boolean {
  return /^[1-9]\d{0,8}$/.test(word);
}

export function notGeneration(word: string): string {
  return `${JSON.stringify(word)} is no generation: a number of toots history`;
}

/** Pure. */
function listText({ pinned, generations }: v.InferOutput<typeof list>): string {
  if (generations.length === 0) return 'Nothing has changed yet.\n';
  const width = String(generations.at(-1)?.number ?? 0).length;
  const rows = generations.map(
    (one) => `${String(one.number).padStart(width)}${one.number === pinned ? '*' : ' '} ${one.at}  ${did(one)}  ${one.why.join('; ')}\n`,
  );
  return rows.join('') + (pinned === null ? '' : `* the edge is pinned to it; toots release lets it follow Consul again\n`);
}

/** Pure. */
function generationText({ said, diff, ...one }: v.InferOutput<typeof told>): string {
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
  const left = one.commands - said.length;
  return [
    `generation ${one.number}, ${one.at}: ${did(one)}\n`,
    section('because:', one.why),
    section('HAProxy was reloaded, because:', one.did === 'reload' ? one.reasons : []),
    section('changed:', diff),
    section('told to HAProxy:', [
      ...said.map(({ command: text, answer }) => (answer === '' ? text : `${text}: ${answer}`)),
      ...(left > 0 && said.length > 0 ? [`and ${left} more`] : []),
    ]),
  ].join('');
}

function did({ did: what, commands }: Generation): string {
  return what === 'runtime' ? `runtime, ${commands} ${commands === 1 ? 'command' : 'commands'}` : what;
}
