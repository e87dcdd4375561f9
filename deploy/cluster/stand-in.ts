import { OperationError } from '../../daemon/operation-error.ts';
import { docker } from '../host/docker-engine.ts';
import type { Progress } from '../progress.ts';
import { waitUntil } from '../wait-until.ts';
import { COMPOSE_PROJECT } from './compose-text.ts';

const HAPROXY = `${COMPOSE_PROJECT}-haproxy`;
const STAND_IN = `${HAPROXY}-stand-in`;

/** How long a stand-in may take until it serves, milliseconds, and until its last request is answered, seconds. */
const SERVES_WITHIN_MS = 15_000;
const ENDS_WITHIN_S = 40;
const LOOK_EVERY_MS = 100;

/**
 * Does what replaces HAProxy's container, while a second HAProxy of the image that runs serves in its place: it takes the listening sockets
 * over from the first and gives them on to the next, so no connection is refused and no request is cut off. Where there is no HAProxy, or the
 * stand-in does not come, `replace` is done without.
 */
export async function withStandIn(replace: () => Promise<void>, progress: Progress, signal: AbortSignal): Promise<void> {
  if (!(await isServing(HAPROXY))) return await replace();
  try {
    await progress.step('A stand-in for HAProxy', () => startStandIn(signal));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    progress.note(`without one, so clients wait about a second: ${error.message}`);
    await removeStandIn();
    return await replace();
  }
  try {
    await replace();
  } finally {
    await endStandIn();
  }
}

async function startStandIn(signal: AbortSignal): Promise<void> {
  await removeStandIn(); // of a run that was killed
  const image = await docker(['inspect', '-f', '{{.Image}}', HAPROXY], signal);
  const rights = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--cap-add', 'NET_BIND_SERVICE'];
  const where = ['--network', 'host', '--volumes-from', HAPROXY, '--label', 'SERVICE_IGNORE=true'];
  await docker(['run', '--detach', '--name', STAND_IN, ...where, ...rights, image, 'haproxy-stand-in.sh'], signal);
  const serves = async () => {
    if (await isServing(STAND_IN)) return true;
    throw new Error(`it said: ${await docker(['logs', '--tail', '3', STAND_IN])}`);
  };
  const within = { withinMs: SERVES_WITHIN_MS, everyMs: LOOK_EVERY_MS };
  await waitUntil(serves, { ...within, what: 'a stand-in for HAProxy', hint: 'its image may be older than this clone' }, signal);
}

/** Whether a HAProxy of this container has loaded: its master starts a worker when all is bound. */
async function isServing(container: string): Promise<boolean> {
  const pids = await docker(['exec', container, 'busybox', 'pidof', 'haproxy']).catch(() => '');
  return pids.split(' ').length >= 2;
}

/** Its last requests are answered first. */
async function endStandIn(): Promise<void> {
  await docker(['kill', '--signal', 'USR1', STAND_IN]).catch(() => '');
  await docker(['wait', STAND_IN], AbortSignal.timeout(ENDS_WITHIN_S * 1_000)).catch(() => '');
  await removeStandIn();
}

async function removeStandIn(): Promise<void> {
  await docker(['rm', '--force', STAND_IN]).catch(() => '');
}
