import { copyFile, cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { findProgram } from '../../daemon/find-program.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { installPackages } from '../host/debian.ts';
import { docker } from '../host/docker-engine.ts';
import { installConsul } from '../host/needs.ts';
import type { Progress } from '../progress.ts';
import { PROJECT_FOLDER } from '../project.ts';
import { OWN_IMAGES } from './images.ts';

const BASE_IMAGE = 'debian:trixie-slim';

/** Has the engine have every image: those that are missing are pulled, and ours that cannot be pulled are built here. */
export async function ensureImages(images: readonly string[], progress: Progress, signal: AbortSignal): Promise<void> {
  for (const image of new Set(images)) {
    if (await hasImage(image, signal)) continue;
    const target = ownTarget(image);
    if (target === undefined) await progress.step(`Pulling ${image}`, () => docker(['pull', '-q', image], signal));
    else await progress.step(`Building ${image}`, () => buildImage(image, target, progress, signal));
  }
}

/** Builds our images of this clone, whether the engine has them or not. */
export async function buildOwnImages(version: string, progress: Progress, signal: AbortSignal): Promise<readonly string[]> {
  const images = [...new Set(Object.values(OWN_IMAGES))].map((target) => ({ target, image: `toots/${target}:${version}` }));
  for (const { target, image } of images) await progress.step(`Building ${image}`, () => buildImage(image, target, progress, signal));
  return images.map(({ image }) => image);
}

async function hasImage(image: string, signal: AbortSignal): Promise<boolean> {
  return await docker(['image', 'inspect', '-f', '{{.Id}}', image], signal).then(
    () => true,
    () => false,
  );
}

/** The target of compose/Dockerfile that an image of ours is; undefined for others' images, and for ours in a registry. */
function ownTarget(image: string): string | undefined {
  return Object.values(OWN_IMAGES).find((target) => image.startsWith(`toots/${target}:`));
}

async function buildImage(image: string, target: string, progress: Progress, signal: AbortSignal): Promise<void> {
  if (!(await hasImage(BASE_IMAGE, signal))) await ensureBase(progress, signal);
  if (findProgram('consul') === undefined) await installConsul(signal);
  const context = await mkdtemp(join(tmpdir(), 'toots-image-'));
  try {
    await gatherContext(context);
    await docker(['build', '-q', '-t', image, '--target', target, '-f', join(PROJECT_FOLDER, 'compose/Dockerfile'), context], signal);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Where no registry is in reach, Debian itself makes its base image: half a minute. */
async function ensureBase(progress: Progress, signal: AbortSignal): Promise<void> {
  const pulled = await docker(['pull', '-q', BASE_IMAGE], signal).then(
    () => true,
    () => false,
  );
  if (pulled) return;
  progress.note(`${BASE_IMAGE} cannot be pulled: making it from Debian’s packages`);
  if (findProgram('debootstrap') === undefined) await installPackages(['debootstrap'], signal);
  const folder = await mkdtemp(join(tmpdir(), 'toots-base-'));
  try {
    await execa('debootstrap', ['--variant=minbase', 'trixie', folder], { stdin: 'ignore', cancelSignal: signal });
    await execa(
      'sh',
      [
        '-c',
        'tar -C "$1" --exclude=./var/cache/apt/archives/*.deb --exclude=./var/lib/apt/lists/* -c . | docker import -c \'CMD ["bash"]\' - "$2"',
        'sh',
        folder,
        BASE_IMAGE,
      ],
      {
        stdin: 'ignore',
        cancelSignal: signal,
      },
    );
  } catch (cause) {
    throw new OperationError('make the base image', {
      subject: BASE_IMAGE,
      cause,
      hint: 'pull it, or set REGISTRY_IP to a registry that has our images',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the Dockerfile copies. */
async function gatherContext(context: string): Promise<void> {
  const scripts = join(PROJECT_FOLDER, 'compose/image');
  for (const name of await readdir(scripts)) await copyFile(join(scripts, name), join(context, name));
  await copyFile(findProgram('consul') ?? 'consul', join(context, 'consul'));
  await copyFile(join(PROJECT_FOLDER, 'package.json'), join(context, 'package.json'));
  for (const part of ['programs', 'templater/templates'])
    await cp(join(PROJECT_FOLDER, 'dist', part), join(context, 'dist', part), { recursive: true });
  for (const path of await productionPackages())
    await cp(join(PROJECT_FOLDER, path), join(context, path), { recursive: true, dereference: true });
}

/** Folders of the npm packages that the programs need, below the project. */
async function productionPackages(): Promise<readonly string[]> {
  const { stdout } = await execa('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: PROJECT_FOLDER,
    stdin: 'ignore',
    reject: false,
  });
  return stdout
    .split('\n')
    .map((line) => /\/(node_modules\/.+)$/.exec(line.slice(PROJECT_FOLDER.length))?.[1])
    .filter((path) => path !== undefined);
}
