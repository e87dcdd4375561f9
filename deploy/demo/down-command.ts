import { command } from '../command.ts';
import { endProcess } from '../host/process-identity.ts';
import { createProgress, STDOUT } from '../progress.ts';
import { type DemoState, demoFiles, isUp, readDemoState } from './demo-state.ts';
import { runDirOption } from './run-dir.ts';
import { removeFiles, takeDown } from './take-down.ts';

/** How long the supervisor may take to take everything down, milliseconds; then it is done without it. */
const END_WITHIN_MS = 60_000;

/** Ends the demo of this machine, also one whose supervisor was killed. */
export const downCommand = command(
  {
    name: 'down',
    usage: '',
    line: 'Ends the demo, and removes what it started',
    about: 'Ends the demo of this machine and removes the containers it started; nothing else is touched.',
    options: { runDir: runDirOption },
  },
  async ({ runDir }) => {
    const progress = createProgress(STDOUT);
    const state = await readDemoState(demoFiles(runDir));
    await progress.step(
      'Taking the demo down',
      () => end(runDir, state),
      (ended) => (ended.length === 0 ? 'nothing was running' : ended.join(', ')),
    );
    return 0;
  },
);

async function end(runDir: string, state: DemoState | undefined): Promise<readonly string[]> {
  const files = demoFiles(runDir);
  const bySupervisor = isUp(state);
  if (bySupervisor) await endProcess(state.supervisor, END_WITHIN_MS);
  const rest = await takeDown(files, state ?? { programs: {} });
  await removeFiles(runDir, { keepLogs: false });
  return bySupervisor ? ['the demo and all it had started', ...rest] : rest;
}
