import { execa } from 'execa';
import { live } from '../../daemon/live.ts';
import { flag, wholeNumber } from '../../daemon/values.ts';
import { command, wrongUsage } from '../command.ts';
import { ENGINE_URL } from '../host/docker-engine.ts';
import { createProgress, STDOUT } from '../progress.ts';
import { compose } from './compose.ts';
import { COMPOSE_PROJECT, composeText } from './compose-text.ts';
import type { ClusterConf } from './conf.ts';
import { nodeOptions, stateOption } from './node-options.ts';
import { daemonNames } from './node-state.ts';
import { planNode } from './plan-node.ts';
import { readNode, readSecureContext } from './read-node.ts';
import { withStandIns } from './stand-in.ts';
import { waitUntilWell } from './start-node.ts';
import { composeFile } from './write-node.ts';

/** How long a restarted daemon may take until it is well, milliseconds. */
const WELL_WITHIN_MS = 120_000;

/** Words that are no daemon of this node, told as wrong usage; undefined when all are. */
async function unknownDaemons(words: readonly string[], stateDir: string, help: string): Promise<number | undefined> {
  const names = await daemonNames(stateDir);
  const unknown = words.filter((word) => !names.includes(word));
  if (unknown.length === 0) return undefined;
  return wrongUsage(
    unknown.map((word) => `${JSON.stringify(word)} is no daemon of this node; it runs ${names.join(', ')}`),
    help,
  );
}

/** What the daemons of this node have written. */
export const logsCommand = command(
  {
    name: 'logs',
    usage: '[DAEMON …] [-follow] [-tail N]',
    line: 'What the daemons of this node have written',
    about: 'Shows the last lines that the daemons of this node have written, or those that are named.',
    options: {
      stateDir: stateOption,
      follow: { flag: 'follow', schema: flag(), describe: 'Goes on showing what is written' },
      tail: { flag: 'tail', value: 'N', schema: wholeNumber(0, 1_000_000, 100), describe: 'Lines of each daemon' },
    },
    positionals: { least: 0, most: 100 },
  },
  async ({ stateDir, follow, tail }, names) => {
    const wrong = await unknownDaemons(names, stateDir, 'toots logs -help');
    if (wrong !== undefined) return wrong;
    const words = ['--project-name', COMPOSE_PROJECT, '--file', composeFile(stateDir), 'logs', '--timestamps', '--tail', String(tail)];
    const { exitCode } = await execa('docker', ['compose', ...words, ...(follow ? ['--follow'] : []), ...names], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { DOCKER_HOST: ENGINE_URL },
      reject: false,
    });
    return exitCode ?? 1;
  },
);

/** Ends daemons of this node and starts them again, one after the other. */
export const restartCommand = command(
  {
    name: 'restart',
    usage: '[DAEMON …]',
    line: 'Restarts the daemons of this node one after the other, each when the last is well',
    about: 'Restarts the daemons of this node, or those that are named, one after the other; the next only when the last is well again.',
    options: { stateDir: stateOption },
    positionals: { least: 0, most: 100 },
  },
  async ({ stateDir }, words) => {
    const wrong = await unknownDaemons(words, stateDir, 'toots restart -help');
    if (wrong !== undefined) return wrong;
    const names = words.length > 0 ? words : await daemonNames(stateDir);
    return await live(async (signal) => {
      const progress = createProgress(STDOUT);
      for (const name of names) {
        const restart = () =>
          progress.step(`Restarting ${name}`, async () => {
            await compose(composeFile(stateDir), ['restart', name], signal);
            await waitUntilWell(stateDir, performance.now() + WELL_WITHIN_MS, signal, [name]);
          });
        await withStandIns([name], restart, progress, signal);
      }
      return 0;
    });
  },
);

/** Shows what would be started, without starting it. */
export const configCommand = command(
  {
    name: 'config',
    usage: '[--roles ROLE,…]',
    line: 'The settings of this node and the Compose file made of them',
    about: 'Prints what Toots.conf, restricted/ and the flags say together, and the Compose file that up would write. Changes nothing.',
    options: nodeOptions,
  },
  async (settings) => {
    const read = await readNode(settings);
    if (read.kind === 'wrong') return wrongUsage(read.problems, 'toots config -help');
    const { node } = read;
    process.stdout.write(settingsText(node.conf));
    if (node.answers === undefined) {
      process.stdout.write('# What this node is has not been answered yet: -roles, or ./toots.sh\n');
      return 1;
    }
    const text = composeText(planNode(await readSecureContext(node, node.answers, settings)));
    process.stdout.write(hideCredentials(text, node.conf));
    return 0;
  },
);

/** What is set, as it would stand in Toots.conf, credentials left out. Pure. */
function settingsText({ daemons, ...fixed }: ClusterConf): string {
  const lines = Object.entries(fixed).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [`# ${key}=${key === 'MARATHON_CREDENTIALS' ? '(hidden)' : Array.isArray(value) ? value.join(',') : String(value)}\n`];
  });
  const own = Object.entries(daemons).flatMap(([name, { image, memory, params, appParams }]) => {
    const told = {
      IMAGE: image,
      MEMORY: memory,
      PARAMS: params.length > 0 ? params.join(' ') : undefined,
      APP_PARAMS: appParams?.join(' '),
    };
    return Object.entries(told).flatMap(([suffix, value]) =>
      value === undefined ? [] : [`# ${name.toUpperCase().replaceAll('-', '_')}_${suffix}=${value}\n`],
    );
  });
  return [...lines, ...own].join('');
}

function hideCredentials(text: string, { MARATHON_CREDENTIALS }: ClusterConf): string {
  return MARATHON_CREDENTIALS === undefined ? text : text.replaceAll(MARATHON_CREDENTIALS.replaceAll('$', '$$$$'), '(hidden)');
}
