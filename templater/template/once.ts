import { innerSignal } from '../../daemon/inner-signal.ts';
import type { TemplateEngine } from './engine.ts';

/** Renders everything once; answers the exit code: 1 with a list on stderr when something failed, or is missing when the time is over. */
export async function runOnce(engine: TemplateEngine, timeoutMs: number, signal: AbortSignal): Promise<number> {
  const end = innerSignal(signal);
  const running = engine.run(end.signal);
  using late = innerSignal(signal, timeoutMs);
  await engine.allDone(late.signal);
  const wrong = [
    ...engine
      .status()
      .flatMap(({ template, missing, error, state }) => [
        ...(error === undefined ? [] : [error.includes(template) ? error : `${template}: ${error}`]),
        ...missing.map(({ query, why }) => `${template}: missing ${query}: ${why}`),
        ...(state === 'starting' ? [`${template}: its source is not known yet`] : []),
      ]),
    ...engine.holds().map(({ subject, reason }) => `${subject}: withheld: ${reason}; -hold 0 writes it all the same`),
    ...engine.failures().map(({ action, error }) => `${action}: ${error}`),
    ...engine.answers.failing().map(({ query, error }) => `${query}: ${error}`),
  ];
  if (late.signal.aborted && !signal.aborted) wrong.unshift(`not done within ${timeoutMs} ms`);
  end.end();
  await running;
  for (const line of wrong) process.stderr.write(`toots templater: ${line}\n`);
  return wrong.length > 0 ? 1 : 0;
}
