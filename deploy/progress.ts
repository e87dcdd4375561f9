/** Where a person reads; a terminal may show lines that change. */
export interface Screen {
  readonly isTerminal: boolean;
  /** Characters in a line of the terminal. */
  readonly columns: number;
  readonly write: (text: string) => void;
}

/** Tells a person what is being done, step by step, and how long each took. */
export interface Progress {
  /** Shows `what` while `work` runs; afterwards `what`, what `result` makes of the answer, and the time it took. */
  readonly step: <Value>(what: string, work: () => Promise<Value>, result?: (value: Value) => string) => Promise<Value>;
  /** A line of its own. */
  readonly note: (text: string) => void;
}

/** This process's own. */
export const STDOUT: Screen = {
  isTerminal: process.stdout.isTTY === true,
  columns: process.stdout.columns ?? 80,
  write: (text) => void process.stdout.write(text),
};

/** How often a step that goes on is shown again: in place on a terminal, as a new line elsewhere; milliseconds. */
const AGAIN_MS = { terminal: 100, elsewhere: 10_000 } as const;
const WHEEL = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const CLEAR_LINE = '\r\u001b[2K';

export function createProgress(screen: Screen, now: () => number = () => performance.now()): Progress {
  const { isTerminal, columns, write } = screen;
  return {
    note: (text) => write(`  ! ${text}\n`),
    step: async (what, work, result = () => '') => {
      const start = now();
      const elapsed = () => shownDuration(now() - start);
      let turn = 0;
      const again = () => {
        turn += 1;
        const wheel = `  ${WHEEL[turn % WHEEL.length]} ${what} … ${elapsed()}`.slice(0, columns - 1); // a line that wraps cannot be cleared
        write(isTerminal ? `${CLEAR_LINE}${wheel}` : `  … ${what} (${elapsed()} so far)\n`);
      };
      if (isTerminal) again();
      const timer = setInterval(again, isTerminal ? AGAIN_MS.terminal : AGAIN_MS.elsewhere);
      const end = (line: string) => {
        clearInterval(timer);
        write(`${isTerminal ? CLEAR_LINE : ''}${line}\n`);
      };
      try {
        const value = await work();
        const told = result(value);
        end(`  ✓ ${`${what}${told === '' ? '' : `: ${told}`}`.padEnd(66)} ${elapsed()}`);
        return value;
      } catch (error) {
        end(`  ✗ ${what} (after ${elapsed()})`);
        throw error;
      }
    },
  };
}

/** A duration for people: `40 ms`, `1.2 s`, `2 min 5 s`. Pure. */
export function shownDuration(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
