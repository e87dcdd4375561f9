import * as v from 'valibot';
import { command, wrongUsage } from '../command.ts';
import { isGeneration, notGeneration } from './history-command.ts';
import { askTemplater, templaterApi } from './templater-api.ts';

const answer = v.object({ diff: v.array(v.string()) });

/** Tells what differs between two generations. */
export const diffCommand = command(
  {
    name: 'diff',
    usage: 'GENERATION GENERATION',
    line: 'What differs between two generations of the edge',
    about: 'Prints what came (+) and what went (-) from one generation of this edge to another. Exit 0 when they are equal, 1 when not.',
    options: { api: templaterApi },
    positionals: { least: 2, most: 2 },
  },
  async ({ api }, [from = '', to = '']) => {
    const problems = [from, to].filter((word) => !isGeneration(word)).map(notGeneration);
    if (problems.length > 0) return wrongUsage(problems, 'toots diff -help');
    const { diff } = v.parse(answer, await askTemplater(api, 'GET', '/diff', { from, to }));
    process.stdout.write(diff.length === 0 ? `Generations ${from} and ${to} are equal.\n` : diff.map((line) => `${line}\n`).join(''));
    return diff.length === 0 ? 0 : 1;
  },
);
