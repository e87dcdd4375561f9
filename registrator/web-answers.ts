import { withDeadline } from '../daemon/deadline.ts';
import { TemplateError } from './go-template/parse.ts';
import type { TagTemplate } from './tag-template.ts';

/** What `httpGet` of a template got, by URL. */
export type WebAnswers = ReadonlyMap<string, WebAnswer>;
export type WebAnswer = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'failed'; readonly reason: string };

export const NOTHING_ASKED: WebAnswers = new Map();

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 1_000_000;
/** One URL may be made of the answer of another, so often. */
const MOST_ROUNDS = 10;

/** How a template asks, where everything has been asked before: pure. */
export function answering(answers: WebAnswers): (url: string) => string {
  return (url) => {
    const answer = answers.get(url) ?? { kind: 'failed', reason: 'it was not asked' };
    if (answer.kind === 'text') return answer.text;
    throw new TemplateError(`httpGet ${JSON.stringify(url)}: ${answer.reason}`);
  };
}

/** Asks for everything that the template wants to know of a container, and is not known yet. */
export async function askFor(
  template: TagTemplate,
  inspection: unknown,
  known: WebAnswers,
  signal: AbortSignal,
  get: typeof getText = getText,
): Promise<WebAnswers> {
  const answers = new Map([...known].filter(([, { kind }]) => kind === 'text'));
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const wanted = new Set<string>();
    template.render(inspection, (url) => {
      if (!answers.has(url)) wanted.add(url);
      return answering(answers)(url);
    });
    if (wanted.size === 0) break;
    await Promise.all([...wanted].map(async (url) => answers.set(url, await get(url, signal))));
  }
  return answers;
}

export function hasFailed(answers: WebAnswers): boolean {
  return [...answers.values()].some(({ kind }) => kind === 'failed');
}

async function getText(url: string, signal: AbortSignal): Promise<WebAnswer> {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) return { kind: 'failed', reason: 'it must be an http:// or https:// URL' };
  try {
    return await withDeadline(TIMEOUT_MS, signal, async (within) => {
      const response = await fetch(url, { signal: within });
      const text = await response.text();
      if (!response.ok) return { kind: 'failed', reason: `the answer is ${response.status}` };
      return text.length > MOST_BYTES
        ? { kind: 'failed', reason: `the answer is longer than ${MOST_BYTES} bytes` }
        : { kind: 'text', text };
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { kind: 'failed', reason: cause instanceof Error ? cause.message : String(cause) };
  }
}
