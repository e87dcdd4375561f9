import type { Brand } from './brand.ts';
import { isHostName } from './host-name.ts';

/** A host in lower case, such as `app.example.com`, or `*.example.org`: every host below `example.org`, at any depth, but not itself. */
export type HostPattern = Brand<string, 'HostPattern'>;

/** How many labels may follow the `*`: HAProxy looks each of them up, so it is a bound of the cost of a request. */
export const MOST_WILDCARD_LABELS = 8;

/** The reason why a text is no host pattern, or undefined when it is one. */
export function hostPatternFault(text: string): string | undefined {
  const suffix = text.startsWith('*.') ? text.slice(2) : undefined;
  if (!isHostName(suffix ?? text))
    return 'it is a host such as app.example.com, or *.example.org for all below example.org; without port and path';
  if ((suffix?.split('.').length ?? 0) > MOST_WILDCARD_LABELS) return `at most ${MOST_WILDCARD_LABELS} labels follow the *`;
  return undefined;
}

/** The text must have no {@link hostPatternFault}. */
export function hostPattern(text: string): HostPattern {
  return text.toLowerCase() as HostPattern;
}

/** `example.org` of `*.example.org`; undefined for a pattern that is one host. */
export function wildcardSuffix(pattern: HostPattern): string | undefined {
  return pattern.startsWith('*.') ? pattern.slice(2) : undefined;
}
