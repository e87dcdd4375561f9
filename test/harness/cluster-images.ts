import { join } from 'node:path';
import { execa } from 'execa';
import { VERSION } from '../../daemon/version.ts';
import { composeVersion, installCompose } from '../../deploy/cluster/compose.ts';
import { PROJECT_FOLDER } from './program.ts';

/** How long the images may take, milliseconds: on a machine that never built them Debian's base image is made first. */
export const IMAGES_BUDGET_MS = 900_000;

/** Builds our images on this machine, and installs Compose where it is missing: the hosts of a test have no way out to Debian. */
export async function prepareImages(): Promise<void> {
  if ((await composeVersion()) === undefined) await installCompose(new AbortController().signal);
  await execa(join(PROJECT_FOLDER, 'toots.sh'), ['images'], { stdin: 'ignore' });
}

/** Names of our images. */
export function ownImages(...targets: readonly string[]): readonly string[] {
  return targets.map((target) => `toots/${target}:${VERSION}`);
}
