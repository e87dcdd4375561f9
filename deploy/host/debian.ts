import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExecaError, execa } from 'execa';
import { findProgram } from '../../daemon/find-program.ts';
import { OperationError } from '../../daemon/operation-error.ts';

/** Waits for another apt instead of failing, asks nothing, and starts without what is only recommended. */
const APT_OPTIONS = ['-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'] as const;

/** Runs apt-get; answers what it printed. @throws OperationError with its last words. */
export async function apt(args: readonly string[], signal: AbortSignal, cwd?: string): Promise<string> {
  try {
    const { stdout } = await execa('apt-get', args, {
      stdin: 'ignore',
      env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
      cancelSignal: signal,
      ...(cwd !== undefined && { cwd }),
    });
    return stdout;
  } catch (cause) {
    if (!(cause instanceof ExecaError) || signal.aborted) throw cause;
    throw new OperationError(`apt-get ${args.at(0)}`, { subject: args.at(-1) ?? '', cause, hint: lastLines(String(cause.stderr ?? '')) });
  }
}

/** Installs packages; the lists are fetched anew when they do not do. @throws OperationError where there is no apt, or it fails. */
export async function installPackages(packages: readonly string[], signal: AbortSignal): Promise<void> {
  if (findProgram('apt-get') === undefined) {
    throw new OperationError('install packages', { subject: packages.join(' '), hint: 'this is no Debian; install them by hand' });
  }
  if (process.getuid?.() !== 0) {
    throw new OperationError('install packages', { subject: packages.join(' '), hint: 'run it as root, or install them by hand' });
  }
  try {
    await apt(['install', ...APT_OPTIONS, ...packages], signal);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    await apt(['update', '-q'], signal);
    await apt(['install', ...APT_OPTIONS, ...packages], signal);
  }
}

/** Whether apt could install a package as it is set up now. */
export async function hasCandidate(name: string, signal: AbortSignal): Promise<boolean> {
  const { stdout } = await execa('apt-cache', ['policy', name], { stdin: 'ignore', env: { LC_ALL: 'C' }, cancelSignal: signal });
  return /^\s+Candidate: (?!\(none\))/m.test(stdout);
}

/** Packages of another Debian suite, as files. */
export interface DebianSuite {
  /** Fetches packages, of a suite if one is named (`haproxy/experimental`), and unpacks them into `root`; answers the files. @throws OperationError. */
  readonly unpack: (names: readonly string[]) => Promise<readonly string[]>;
  readonly root: string;
  /** Removes what apt needed. */
  readonly close: () => Promise<void>;
}

/**
 * Reads the lists of other Debian suites into `folder`; the system's own packages and lists stay as they are. The mirror is the one this machine
 * uses already, and apt verifies what it says with Debian's keys.
 * @throws OperationError when there is no Debian mirror in its sources, or it does not have the suite any more.
 */
export async function openSuite(suites: readonly string[], folder: string, signal: AbortSignal): Promise<DebianSuite> {
  const at = (part: string) => join(folder, part);
  const [lists, cache, root, list] = [at('lists'), at('cache'), at('root'), at('sources.list')];
  await Promise.all([join(lists, 'partial'), join(cache, 'archives', 'partial'), root].map((path) => mkdir(path, { recursive: true })));
  const source = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${await debianMirror(signal)}`;
  await writeFile(list, suites.map((suite) => `${source} ${suite} main\n`).join(''));
  const own = ['-o', `Dir::Etc::SourceList=${list}`, '-o', 'Dir::Etc::SourceParts=/dev/null', '-o', `Dir::State::Lists=${lists}`];
  const options = ['-q', ...own, '-o', `Dir::Cache=${cache}`, '-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=3'];
  await apt([...options, 'update'], signal);
  return {
    root,
    unpack: async (names) => {
      await apt([...options, 'download', ...names], signal, folder);
      const found = await readdir(folder);
      const files = names.map((name) => found.find((file) => file.startsWith(`${name.split('/')[0]}_`)) ?? name);
      for (const file of files) await execa('dpkg-deb', ['-x', file, root], { cwd: folder, stdin: 'ignore', cancelSignal: signal });
      return files.map(at);
    },
    close: async () => {
      await Promise.all([lists, cache].map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}

/** Unpacks one package of another Debian suite into `folder`/root; answers that. @throws OperationError. */
export async function unpackFrom(suite: string, name: string, folder: string, signal: AbortSignal): Promise<string> {
  const { unpack, root, close } = await openSuite([suite], folder, signal);
  await unpack([name]);
  await close();
  return root;
}

/** The address of the Debian mirror in this machine's sources. */
async function debianMirror(signal: AbortSignal): Promise<string> {
  const targets = ['indextargets', '--format', '$(ORIGIN) $(REPO_URI)', 'Created-By: Packages'];
  const mirror = mirrorOf(await apt(targets, signal)) ?? mirrorOf(await apt(['update', '-q'], signal).then(() => apt(targets, signal)));
  if (mirror !== undefined) return mirror;
  throw new OperationError('find the Debian mirror', {
    subject: '/etc/apt',
    hint: 'none of its sources is of Debian; install the program by hand',
  });
}

/** Of lines `ORIGIN URI` the first of Debian that is not for security updates alone. Pure. */
export function mirrorOf(targets: string): string | undefined {
  return targets
    .split('\n')
    .map((line) => /^Debian (\S+)$/.exec(line.trim())?.[1])
    .find((uri) => uri !== undefined && !uri.includes('security'));
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join('\n');
}
