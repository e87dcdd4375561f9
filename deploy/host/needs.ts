import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../daemon/find-program.ts';
import type { Progress } from '../progress.ts';
import { hasCandidate, installPackages, unpackFrom } from './debian.ts';
import { isStatic } from './is-static.ts';

/** A program, and the Debian packages that may bring it, the first that this Debian has. */
interface Need {
  readonly program: string;
  readonly packages: readonly string[];
  /** Whether the program that is there will do; any does unless said. */
  readonly suffices?: (file: string) => boolean;
}

/** What the demo and the tests run. Debian 12's docker.io brings the client too, later ones have it in docker-cli. */
const NEEDS: readonly Need[] = [
  { program: 'dockerd', packages: ['docker.io'] },
  { program: 'docker', packages: ['docker-cli', 'docker.io'] },
  { program: 'iptables', packages: ['iptables'] },
  { program: 'haproxy', packages: ['haproxy'] },
  { program: 'busybox', packages: ['busybox-static'], suffices: isStatic },
  { program: 'dig', packages: ['dnsutils'] },
  { program: 'curl', packages: ['curl'] },
  { program: 'ip', packages: ['iproute2'] },
  { program: 'openssl', packages: ['openssl'] },
];

/** Installs what is missing of Docker, HAProxy, Consul and the small programs. @throws OperationError that says what cannot be had. */
export async function installNeeds(progress: Progress, signal: AbortSignal): Promise<void> {
  await installMissing(NEEDS, progress, signal);
  if (findProgram('consul') === undefined)
    await progress.step(
      'Installing Consul',
      () => installConsul(signal),
      (from) => from,
    );
}

/** The browser that looks at the edge's pages, for the tests alone. @throws OperationError that says what cannot be had. */
export function installBrowser(progress: Progress, signal: AbortSignal): Promise<void> {
  return installMissing([{ program: 'chromium', packages: ['chromium'] }], progress, signal);
}

/** Of those, what a node of a cluster runs outside of its containers. */
const NODE_PROGRAMS: readonly string[] = ['dockerd', 'docker', 'iptables', 'ip', 'openssl'];

/** Installs what is missing of what a cluster's node needs besides Compose. @throws OperationError that says what cannot be had. */
export async function installNodeNeeds(progress: Progress, signal: AbortSignal): Promise<void> {
  await installMissing(
    NEEDS.filter(({ program }) => NODE_PROGRAMS.includes(program)),
    progress,
    signal,
  );
}

async function installMissing(needs: readonly Need[], progress: Progress, signal: AbortSignal): Promise<void> {
  const missing = needs.filter(({ program, suffices = () => true }) => {
    const file = findProgram(program);
    return file === undefined || !suffices(file);
  });
  if (missing.length > 0) {
    const packages = new Set(await Promise.all(missing.map((need) => packageOf(need, signal))));
    await progress.step(`Installing ${[...packages].join(', ')}`, () => installPackages([...packages], signal));
  }
}

async function packageOf({ program, packages }: Need, signal: AbortSignal): Promise<string> {
  for (const name of packages) if (await hasCandidate(name, signal)) return name;
  return packages.at(-1) ?? program; // apt's lists may be empty still; apt itself says so if not
}

/** Where the last Consul that Debian packaged is: 1.8.7. */
const DEBIAN_WITH_CONSUL = 'bullseye';
const CONSUL_FILE = '/usr/local/bin/consul';

/** HashiCorp's package where its apt source is set up, else Debian's own of an earlier release, unpacked for this one file. */
/** Puts Consul on this machine; answers where it is from. */
export async function installConsul(signal: AbortSignal): Promise<string> {
  if (await hasCandidate('consul', signal)) {
    await installPackages(['consul'], signal);
    return 'the package of this machine’s apt sources';
  }
  const folder = await mkdtemp(join(tmpdir(), 'toots-consul-'));
  try {
    const root = await unpackFrom(DEBIAN_WITH_CONSUL, 'consul', folder, signal);
    await copyFile(join(root, 'usr/bin/consul'), `${CONSUL_FILE}.new`);
    await rename(`${CONSUL_FILE}.new`, CONSUL_FILE);
    return `Debian ${DEBIAN_WITH_CONSUL}’s, as ${CONSUL_FILE}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
