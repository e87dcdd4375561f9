import { live } from '../../daemon/live.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { duration, flag } from '../../daemon/values.ts';
import { VERSION } from '../../daemon/version.ts';
import { command, wrongUsage } from '../command.ts';
import { docker } from '../host/docker-engine.ts';
import { createProgress, STDOUT } from '../progress.ts';
import { COMPOSE_PROJECT, composeText } from './compose-text.ts';
import type { NodePlan } from './daemon.ts';
import { buildOwnImages, ensureImages } from './node-images.ts';
import { nodeOptions } from './node-options.ts';
import { changeText, type DaemonChange, planChange } from './plan-change.ts';
import { planNode } from './plan-node.ts';
import { readNode, readSecureContext } from './read-node.ts';
import { replaceDaemon } from './replace-daemon.ts';
import { withStandIns } from './stand-in.ts';
import { writtenComposeText } from './write-node.ts';

const HELP = 'toots upgrade -help';

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
      dryRun: { flag: 'dry-run', schema: flag(), describe: 'Shows what would be done with the images that are there, and ends' },
      waitMs: { flag: 'wait', value: 'DURATION', schema: duration('2m'), describe: 'How long a daemon may take until it is well' },
    },
  },
  async (settings) => {
    const read = await readNode(settings);
    if (read.kind === 'wrong') return wrongUsage(read.problems, HELP);
    const { node } = read;
    const { stateDir } = settings;
    const before = await writtenComposeText(stateDir);
    if (node.answers === undefined || before === undefined) return wrongUsage(['no node is set up here; ./toots.sh does that'], HELP);
    const plan = planNode(await readSecureContext(node, node.answers, settings));
    return await live(async (signal) => {
      const progress = createProgress(STDOUT);
      if (!settings.noBuild && !settings.dryRun && plan.daemons.some(({ image }) => image.startsWith('toots/')))
        await buildOwnImages(VERSION, progress, signal);
      const images = plan.daemons.map(({ image }) => image);
      if (!settings.dryRun) await ensureImages(images, progress, signal);
      const had = await imagesInUse(plan);
      const changes = withNewImages(planChange(before, composeText(plan)), had, await imagesThatAreThere(plan));
      process.stdout.write(upgradeText(changes));
      if (settings.dryRun) return 0;
      for (const { name } of changes.filter(({ does }) => does === 'replace')) {
        const image = had[name];
        if (image === undefined) throw new OperationError(`upgrade ${name}`, { hint: 'it has no container; ./toots.sh up starts it' });
        const replace = () => replaceDaemon({ name, plan, stateDir, image, waitMs: settings.waitMs }, progress, signal);
        await withStandIns([name], replace, progress, signal);
      }
      return 0;
    });
  },
);

/** A text that is the same may mean another image by now. Pure. */
export function withNewImages(
  changes: readonly DaemonChange[],
  had: Readonly<Record<string, string>>,
  there: Readonly<Record<string, string>>,
): readonly DaemonChange[] {
  return changes.map((change) => {
    const { name, does } = change;
    const isNew = had[name] !== there[name];
    return does === 'keep' && isNew ? { name, does: 'replace', because: ['image'] } : change;
  });
}

/** What an upgrade does, and what clients see of it. Pure. */
export function upgradeText(changes: readonly DaemonChange[]): string {
  const does = (name: string) => changes.find((change) => change.name === name)?.does;
  const others = changes.filter((change) => change.does === 'start' || change.does === 'remove');
  return [
    changeText(changes),
    ...(does('haproxy') === 'replace'
      ? ['HAProxy hands its sockets over: no request is lost; one that takes over 30 s is cut off.\n']
      : []),
    ...(does('keepalived') === 'replace'
      ? ['Where this node has the VIP, it keeps it: a stand-in for keepalived tells the other edges so.\n']
      : []),
    ...(others.length > 0
      ? [`An upgrade starts and removes none: ./toots.sh up does that with ${others.map(({ name }) => name).join(', ')}.\n`]
      : []),
  ].join('');
}

/** IDs of the images that the daemons of a plan run in. */
async function imagesInUse({ daemons }: NodePlan): Promise<Readonly<Record<string, string>>> {
  return await imageIds(daemons.map(({ name }) => [name, ['inspect', '-f', '{{.Image}}', `${COMPOSE_PROJECT}-${name}`]]));
}

/** IDs of the images that they are to run in, where the engine has them. */
async function imagesThatAreThere({ daemons }: NodePlan): Promise<Readonly<Record<string, string>>> {
  return await imageIds(daemons.map(({ name, image }) => [name, ['image', 'inspect', '-f', '{{.Id}}', image]]));
}

async function imageIds(asked: readonly (readonly [string, readonly string[]])[]): Promise<Readonly<Record<string, string>>> {
  const ids = await Promise.all(asked.map(async ([name, words]) => [name, await docker(words).catch(() => '')] as const));
  return Object.fromEntries(ids.filter(([, id]) => id !== ''));
}
