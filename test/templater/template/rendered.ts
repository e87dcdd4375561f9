import { compileTemplate, type TemplateText } from '../../../templater/template/compile.ts';
import { evaluate, type Surroundings } from '../../../templater/template/evaluate.ts';
import { createStore, type Store } from '../../../templater/template/store.ts';

const NOWHERE: Surroundings = {
  env: {},
  folder: undefined,
  sandboxPath: undefined,
  isGivenUp: () => false,
  limitMs: 2_000,
  now: () => new Date('2026-03-04T05:06:07.089Z'),
};

/** A template's text over a store, or over nothing. @throws what the template throws; Error when it waits. */
export function rendered(
  text: string,
  store: Store = createStore(),
  around: Partial<Surroundings> = {},
  options: Partial<TemplateText> = {},
): string {
  const template = compileTemplate({
    name: 'test.njk',
    text,
    folder: undefined,
    trimBlocks: false,
    lstripBlocks: false,
    errorOnMissingKey: false,
    ...options,
  });
  const evaluation = evaluate(template, store, { ...NOWHERE, ...around });
  if (evaluation.kind === 'failed') throw evaluation.error;
  if (evaluation.kind === 'waiting') throw new Error(`waits for ${evaluation.missing.map(({ query }) => query.id).join(', ')}`);
  return evaluation.text;
}
