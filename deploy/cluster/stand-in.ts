import { OperationError } from '../../daemon/operation-error.ts';
import { docker } from '../host/docker-engine.ts';
import type { Progress } from '../progress.ts';
import { waitUntil } from '../wait-until.ts';
import { COMPOSE_PROJECT } from './compose-text.ts';
import { TOOTS_ID } from './images.ts';

/** What does a daemon's work while its container is replaced: a second container of the image that runs. */
interface StandIn {
  /** As people read it. */
  readonly title: string;
  readonly script: string;
  readonly rights: readonly string[];
  /** Whether the daemon does now what would be missed. */
  readonly isNeeded: (daemon: string) => Promise<boolean>;
  readonly serves: (standIn: string) => Promise<boolean>;
  /** Whether the next daemon has taken over. */
  readonly isRelieved: (standIn: string) => Promise<boolean>;
  readonly endSignal: string;
  /** What clients see without one. */
  readonly without: string;
}

const STAND_INS: Readonly<Record<string, StandIn>> = {
  /** Takes the listening sockets over from the first HAProxy and gives them on to the next (decision 14). */
  haproxy: {
    title: 'HAProxy',
    script: 'haproxy-stand-in.sh',
    rights: ['--cap-add', 'NET_BIND_SERVICE'],
    isNeeded: hasWorker,
    serves: hasWorker,
    isRelieved: async () => true,
    endSignal: 'USR1',
    without: 'clients wait about a second',
  },
  /** Keeps the shared address on another device, and the peers where they are (decision 17). */
  keepalived: {
    title: 'keepalived',
    script: 'keepalived-stand-in.sh',
    rights: ['--user', `0:${TOOTS_ID}`, '--tmpfs', '/run:exec,mode=755', ...capabilities('NET_ADMIN', 'NET_RAW', 'SETGID')],
    isNeeded: async (daemon) => (await vipDevices(daemon)).length > 0,
    serves: async (standIn) => (await vipDevices(standIn)).includes('lo'),
    isRelieved: async (standIn) => (await vipDevices(standIn)).some((device) => device !== 'lo'),
    endSignal: 'TERM',
    without: 'the VIP moves to another edge, and requests under way through it are cut off',
  },
};

/** How long a stand-in may take until it serves, and the next daemon until it has taken over, milliseconds; and until its last request is answered, seconds. */
const SERVES_WITHIN_MS = 15_000;
const RELIEVED_WITHIN_MS = 15_000;
const ENDS_WITHIN_S = 40;
const LOOK_EVERY_MS = 100;

/**
 * Does what replaces the containers of these daemons, while those of them that clients would miss have a stand-in. Where the daemon does not
 * run, or its stand-in does not come, `replace` is done without.
 */
export async function withStandIns(
  daemons: readonly string[],
  replace: () => Promise<void>,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const [name, ...others] = daemons.filter((daemon) => daemon in STAND_INS);
  const role = name === undefined ? undefined : STAND_INS[name];
  if (role === undefined) return await replace();
  const rest = () => withStandIns(others, replace, progress, signal);
  const daemon = `${COMPOSE_PROJECT}-${name}`;
  const standIn = `${daemon}-stand-in`;
  if (!(await role.isNeeded(daemon))) return await rest();
  try {
    await progress.step(`A stand-in for ${role.title}`, () => start(role, daemon, standIn, signal));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    progress.note(`without one, so ${role.without}: ${error.message}`);
    await end(role, standIn);
    return await rest();
  }
  try {
    await rest();
  } finally {
    await untilRelieved(role, standIn).catch((error: Error) => progress.note(error.message));
    await end(role, standIn);
  }
}

async function start(role: StandIn, daemon: string, standIn: string, signal: AbortSignal): Promise<void> {
  await end(role, standIn); // of a run that was killed
  const image = await docker(['inspect', '-f', '{{.Image}}', daemon], signal);
  const rights = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', ...role.rights];
  const where = ['--network', 'host', '--volumes-from', daemon, '--label', 'SERVICE_IGNORE=true'];
  await docker(['run', '--detach', '--name', standIn, ...where, ...rights, '--entrypoint', role.script, image], signal);
  const serves = async () => {
    if (await role.serves(standIn)) return true;
    throw new Error(`it said: ${await docker(['logs', '--tail', '3', standIn])}`);
  };
  const within = { withinMs: SERVES_WITHIN_MS, everyMs: LOOK_EVERY_MS };
  const hint = 'its image may be older than this clone';
  await waitUntil(serves, { ...within, what: `a stand-in for ${role.title}`, hint }, signal);
}

async function untilRelieved(role: StandIn, standIn: string): Promise<void> {
  await waitUntil(
    () => role.isRelieved(standIn),
    {
      what: `${role.title} to take over from its stand-in`,
      withinMs: RELIEVED_WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      hint: `so ${role.without}`,
    },
    AbortSignal.timeout(2 * RELIEVED_WITHIN_MS), // also where a person has stopped the upgrade
  );
}

/** Its last requests are answered first. */
async function end({ endSignal }: StandIn, standIn: string): Promise<void> {
  await docker(['kill', '--signal', endSignal, standIn]).catch(() => '');
  await docker(['wait', standIn], AbortSignal.timeout(ENDS_WITHIN_S * 1_000)).catch(() => '');
  await docker(['rm', '--force', standIn]).catch(() => '');
}

/** Whether a HAProxy of this container has loaded: its master starts a worker when all is bound. */
async function hasWorker(container: string): Promise<boolean> {
  const pids = await docker(['exec', container, 'busybox', 'pidof', 'haproxy']).catch(() => '');
  return pids.split(' ').length >= 2;
}

/** Where this host has the VIP, as a container with keepalived's file tells. */
async function vipDevices(container: string): Promise<readonly string[]> {
  const lines = await docker(['exec', container, 'vip-devices.sh']).catch(() => '');
  return lines.split('\n').filter((line) => line !== '');
}

function capabilities(...names: readonly string[]): readonly string[] {
  return names.flatMap((name) => ['--cap-add', name]);
}
