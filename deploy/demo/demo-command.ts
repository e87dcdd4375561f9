import { basename } from 'node:path';
import { live } from '../../daemon/live.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import type { Option } from '../../daemon/settings.ts';
import { flag } from '../../daemon/values.ts';
import { command, wrongUsage } from '../command.ts';
import { createProgress, STDOUT as screen, shownDuration } from '../progress.ts';
import { announcement, nextSteps } from './announce.ts';
import { withDemo } from './demo.ts';
import { detachDemo } from './detach.ts';
import { runDirOption } from './run-dir.ts';

const options = {
  check: { flag: 'check', schema: flag(), describe: 'Takes the demo down as soon as everything has answered; exit 0 when it did, else 1' },
  detach: { flag: 'detach', schema: flag(), describe: 'Returns when everything has answered, and leaves the demo running' },
  runDir: runDirOption,
} satisfies Record<string, Option>;

/** The whole platform on this machine, for a person to try. */
export const demoCommand = command(
  {
    name: 'demo',
    usage: '[--check] [--detach]',
    line: 'The whole platform on this machine, with examples to try',
    about:
      'Installs what is missing, starts Consul, HAProxy, the registrator and the templater on this machine and the examples as containers,\n' +
      'and takes all of it down again at Ctrl-C.',
    options,
  },
  async ({ check, detach, runDir }) => {
    if (check && detach)
      return wrongUsage(['--check and --detach exclude each other: a demo that was checked is taken down'], 'toots demo -help');
    requireRoot();
    if (detach) return await live((signal) => detachDemo(runDir, screen, signal));
    return await runDemo(runDir, check ? 'check' : 'foreground');
  },
);

/** What `demo --detach` leaves running. */
export const demoSupervisorCommand = command(
  { name: 'demo-supervisor', usage: '', about: 'Keeps a detached demo up until it is told to end.', options: { runDir: runDirOption } },
  async ({ runDir }) => await runDemo(runDir, 'detached'),
);

async function runDemo(runDir: string, mode: 'check' | 'foreground' | 'detached'): Promise<number> {
  const start = performance.now();
  process.once('SIGHUP', () => process.kill(process.pid, 'SIGTERM')); // the terminal was closed: nobody could press Ctrl-C any more
  const progress = createProgress(screen);
  return await live(async (signal) => {
    await withDemo(
      runDir,
      progress,
      async ({ ports, results, split }, book) => {
        screen.write(
          `\nThe demo is up after ${shownDuration(performance.now() - start)}. Try:\n\n${announcement(results, split, ports.http)}\n`,
        );
        if (mode === 'check') return;
        screen.write(`${nextSteps(ports, basename(runDir))}\n`);
        screen.write(`  Logs are in ${runDir}/log; ./toots.sh status shows how it is.\n`);
        await book.change({ ready: true });
        if (mode === 'foreground') screen.write('  Ctrl-C takes everything down.\n\n');
        await aborted(signal);
        screen.write('\n');
      },
      signal,
    );
    return 0;
  });
}

function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new OperationError('start the demo', { hint: 'it installs packages and speaks to the Docker engine; run it as root' });
}

/** The programs that it supervises keep this process alive meanwhile. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
