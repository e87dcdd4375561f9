import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { openSuite } from '../../deploy/host/debian.ts';

/** HAProxies beside the system's own, and the Debian suites that have them. */
const SUITES = { '3.0': ['trixie'], '3.2': ['sid'], '3.4': ['experimental', 'sid'] } as const;

export type HaproxyVersion = keyof typeof SUITES;

/** Those of a test run: all of them, or those that TOOTS_TEST_HAPROXY_VERSIONS names (`3.4`, `3.0,3.4`). */
export const HAPROXY_VERSIONS = (Object.keys(SUITES) as HaproxyVersion[]).filter(
  (version) => process.env['TOOTS_TEST_HAPROXY_VERSIONS']?.split(',').includes(version) ?? true,
);

/**
 * A HAProxy of this version, with libraries of its own: fetched from Debian once per machine, signatures verified by apt.
 * @throws Error when it cannot be fetched, or the suite has another version by now: a version that is not tried is not claimed.
 */
export async function haproxyOf(version: HaproxyVersion): Promise<string> {
  const folder = join(homedir(), '.cache', 'toots', `haproxy-${version}`);
  const program = join(folder, 'haproxy');
  if (await isVersion(program, version)) return program;
  await rm(folder, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  const fresh = await mkdtemp(`${folder}.`);
  try {
    await fetchHaproxy(version, fresh);
    if (!(await isVersion(join(fresh, 'haproxy'), version)))
      throw new Error(`Debian ${SUITES[version][0]} has no HAProxy ${version} any more; see SUITES in test/harness/haproxy-version.ts`);
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return program;
}

async function isVersion(program: string, version: string): Promise<boolean> {
  const { stdout = '' } = await execa(program, ['-v'], { reject: false });
  return stdout.includes(`version ${version}.`);
}

/** The package, and the libraries that it and they ask for. */
async function fetchHaproxy(version: HaproxyVersion, folder: string): Promise<void> {
  const { unpack, root, close } = await openSuite(SUITES[version], folder, new AbortController().signal);
  const done = new Set<string>();
  // Each call of apt reads all lists again: what is known to be needed is fetched at once.
  for (let wanted = [`haproxy/${SUITES[version][0]}`]; wanted.length > 0; ) {
    const files = await unpack(wanted);
    for (const name of wanted) done.add(name);
    const depends = await Promise.all(files.map(async (file) => (await execa('dpkg-deb', ['-f', file, 'Depends'])).stdout));
    wanted = [...new Set(depends.flatMap(librariesOf))].filter((name) => !done.has(name));
  }
  await close();
  const files = (await readdir(root, { recursive: true })).map(String);
  const found = (suffix: RegExp) => join('root', files.find((file) => suffix.test(file)) ?? '');
  const [loader, libc] = [found(/(^|\/)ld-linux-[^/]*\.so\.\d$/), found(/\/libc\.so\.6$/)];
  const wrapper = join(folder, 'haproxy');
  // The master starts itself anew at a reload, by the name it was started with: that has to be this script again.
  await writeFile(
    wrapper,
    `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec "$here/${loader}" --argv0 "$0" --library-path "$here/${relative('.', dirname(libc))}" "$here/${found(/sbin\/haproxy$/)}" "$@"\n`,
  );
  await chmod(wrapper, 0o755);
}

/** Of `libc6 (>= 2.38), adduser, libssl3t64 | libssl3` the libraries, of alternatives the first. Pure. */
function librariesOf(depends: string): string[] {
  return depends
    .split(',')
    .map((one) => /^[a-z0-9][a-z0-9+.-]*/.exec(one.trim())?.[0] ?? '')
    .filter((name) => /^(lib|zlib)/.test(name));
}
