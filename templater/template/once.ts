import type { TemplateEngine } from './engine.ts';

/** Renders everything once; answers the exit code: 1 with a list on stderr when something failed, or is missing when the time is over. */
export async function runOnce(engine: TemplateEngine, timeoutMs: number, signal: AbortSignal): Promise<number> {
  const end = new AbortController();
  const running = engine.run(AbortSignal.any([signal, end.signal]));
  const late = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  await engine.allDone(late);
  const wrong = [
    ...engine
      .status()
      .flatMap(({ template, missing, error, state }) => [
        ...(error === undefined ? [] : [`${template}: ${error}`]),
        ...missing.map(({ query, why }) => `${template}: missing ${query}: ${why}`),
        ...(state === 'starting' ? [`${template}: its source is not known yet`] : []),
      ]),
    ...engine.failures().map(({ action, error }) => `${action}: ${error}`),
    ...engine.answers.failing().map(({ query, error }) => `${query}: ${error}`),
  ];
  if (late.aborted && !signal.aborted) wrong.unshift(`not done within ${timeoutMs} ms`);
  end.abort();
  await running;
  for (const line of wrong) process.stderr.write(`toots templater: ${line}\n`);
  return wrong.length > 0 ? 1 : 0;
}
