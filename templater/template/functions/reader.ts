import type { Query } from '../query.ts';

/** What a template's functions may ask for while it is rendered. */
export interface Reader {
  /** What is known of it now; undefined when it is not known yet, and then the rendering will be done again. */
  readonly read: (query: Query) => unknown;
  /** True when it is known that there will be no answer, as from a datacenter that is gone. */
  readonly isGivenUp: (query: Query) => boolean;
  /** It is known, but nothing that the template can be rendered with. */
  readonly lacks: (query: Query, why: string) => void;
  /** An environment variable, undefined when it is unset. */
  readonly env: (name: string) => string | undefined;
  /** Where a file that the template names lies. @throws Error when the template may not read it. */
  readonly filePath: (name: string) => string;
  readonly now: () => Date;
}

/** A function of templates. */
export type TemplateFunction = (reader: Reader, ...args: readonly unknown[]) => unknown;
