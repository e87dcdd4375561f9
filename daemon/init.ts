import { constants as os } from 'node:os';
import { findProgram } from './find-program.ts';

/** What process 1 passes on; the others end it, or are the kernel's own business. */
const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT', 'SIGALRM'] as const;

/**
 * Runs the program. As process 1 of a container it would have to take in every process that lost its parent, which Node cannot: it waits
 * for its own children alone, and the others would stay as zombies. So it starts itself once more under `tini -s`, which can, where that
 * is installed, passes signals on, and answers its exit code; elsewhere it says so and goes on.
 */
export async function underInit(run: () => Promise<number>): Promise<number> {
  if (process.pid !== 1) return await run();
  const init = findProgram('tini');
  if (init !== undefined) return await passOnTo(init, ['-s', '--', process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  process.stderr.write('toots: this is process 1, and there is no tini: ended grandchildren stay as zombies; use docker run --init\n');
  return await run();
}

async function passOnTo(file: string, args: readonly string[]): Promise<number> {
  const { spawn } = await import('node:child_process');
  const child = spawn(file, args, { stdio: 'inherit' });
  for (const name of PASSED_ON) process.on(name, () => child.kill(name));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, name) => resolve(code ?? 128 + (name === null ? 0 : os.signals[name])));
  });
}
