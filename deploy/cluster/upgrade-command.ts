import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { live } from '../../daemon/live.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { duration, flag } from '../../daemon/values.ts';
import { VERSION } from '../../daemon/version.ts';
import { command, wrongUsage } from '../command.ts';
import { docker } from '../host/docker-engine.ts';
import { createProgress, type Progress, STDOUT } from '../progress.ts';
import { compose } from './compose.ts';
import { COMPOSE_PROJECT } from './compose-text.ts';
import { buildOwnImages, ensureImages } from './node-images.ts';
import { nodeOptions } from './node-options.ts';
import { daemonNames } from './node-state.ts';
import { planNode } from './plan-node.ts';
import { readContext, readNode } from './read-node.ts';
import { waitUntilWell } from './start-node.ts';
import { composeFile, writeNode } from './write-node.ts';

/** Brings this node to the images and settings of this clone, one daemon at a time. */
export const upgradeCommand = command(
  {
    name: 'upgrade',
    usage: '[options]',
    line: 'Brings this node to this clone’s images, one daemon at a time, back when one is not well',
    about:
      'Builds or pulls the images of this clone, and replaces the daemons of this node one after the other, each when the last is well. One that\n' +
      'does not become well goes back to the image it had, and the upgrade ends there. Upgrade the nodes of a cluster one after the other.',
    options: {
      ...nodeOptions,
      noBuild: { flag: 'no-build', schema: flag(), describe: 'Takes the images that are there; only what is missing is pulled or built' },
      waitMs: { flag: 'wait', value: 'DURATION', schema: duration('2m'), describe: 'How long a daemon may take until it is well' },
    },
  },
  async (settings) => {
    const read = await readNode(settings);
    if (read.kind === 'wrong') return wrongUsage(read.problems, 'toots upgrade -help');
    const { node } = read;
    if (node.answers === undefined) return wrongUsage(['no node is set up here; ./toots.sh does that'], 'toots upgrade -help');
    const plan = planNode(await readContext(node, node.answers, settings));
    const { stateDir } = settings;
    const had = await imagesInUse(await daemonNames(stateDir));
    return await live(async (signal) => {
      const progress = createProgress(STDOUT);
      if (!settings.noBuild && plan.daemons.some(({ image }) => image.startsWith('toots/')))
        await buildOwnImages(VERSION, progress, signal);
      await ensureImages(
        plan.daemons.map(({ image }) => image),
        progress,
        signal,
      );
      const before = await readFile(composeFile(stateDir), 'utf8');
      await writeNode(plan, stateDir);
      const after = await readFile(composeFile(stateDir), 'utf8');
      for (const { name } of plan.daemons)
        await upgradeDaemon({ name, stateDir, before, after, had, waitMs: settings.waitMs }, progress, signal);
      return 0;
    });
  },
);

interface Step {
  readonly name: string;
  readonly stateDir: string;
  /** Compose files. */
  readonly before: string;
  readonly after: string;
  /** Image IDs by daemon. */
  readonly had: Readonly<Record<string, string>>;
  readonly waitMs: number;
}

async function upgradeDaemon({ name, stateDir, before, after, had, waitMs }: Step, progress: Progress, signal: AbortSignal): Promise<void> {
  const start = (file: string) => compose(file, ['up', '--detach', '--no-deps', name], signal);
  const well = () => waitUntilWell(stateDir, performance.now() + waitMs, signal);
  try {
    await progress.step(`Upgrading ${name}`, async () => {
      await start(composeFile(stateDir));
      await well();
    });
  } catch (cause) {
    if (!(cause instanceof OperationError)) throw cause;
    const old = (parse(before) as { services: Record<string, object> }).services[name];
    const id = had[name];
    if (old === undefined || id === undefined) throw cause;
    const document = parse(after) as { services: Record<string, object> };
    const back = { ...document, services: { ...document.services, [name]: { ...old, image: id } } };
    const file = join(stateDir, 'compose.back.yaml');
    await writeFile(file, stringify(back), { mode: 0o600 });
    await progress.step(`Taking ${name} back`, async () => {
      await start(file);
      await well();
    });
    throw new OperationError(`upgrade ${name}`, { cause, hint: `it was not well and has its image from before again (${cause.message})` });
  }
}

async function imagesInUse(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const ids = await Promise.all(
    names.map(async (name) => [name, await docker(['inspect', '-f', '{{.Image}}', `${COMPOSE_PROJECT}-${name}`]).catch(() => '')] as const),
  );
  return Object.fromEntries(ids.filter(([, id]) => id !== ''));
}
