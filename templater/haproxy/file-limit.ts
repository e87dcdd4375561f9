import type { Problem } from '../../model/problem.ts';

/** How many connections HAProxy takes at once, which it makes of the files that the system lets it open. */
export interface FileLimit {
  readonly connections: number;
  /** It may open so many. */
  readonly files: number;
  /** It would have so many open with all its connections, checks and listeners. */
  readonly neededFiles: number;
}

/** An edge that takes fewer connections makes clients wait for each other. */
const FEWEST_CONNECTIONS = 1_000;
/** What the configuration asks for at most (`fd-hard-limit`). */
const BEST_FILES = 65_536;

/**
 * What is wrong with HAProxy's limit of files. It starts with any (`no strict-limits`): with fewer than it needs, connections fail when they run out;
 * with few, it takes few connections, and further clients wait. Pure.
 */
export function fileLimitProblems({ connections, files, neededFiles }: FileLimit): readonly Problem[] {
  const remedy = `let it open ${BEST_FILES}: \`nofile\` of its container, LimitNOFILE of its unit, or \`ulimit -n\` of whoever starts the templater; then restart HAProxy`;
  const found =
    neededFiles > files
      ? `HAProxy may open ${files} files and needs ${neededFiles} for ${connections} connections; those that it cannot open fail`
      : connections < FEWEST_CONNECTIONS
        ? `HAProxy takes no more than ${connections} connections at once, as it may open ${files} files; further clients wait`
        : undefined;
  return found === undefined ? [] : [{ subject: 'edge', option: 'nofile', value: String(files), reason: `${found}; ${remedy}` }];
}
