import type { BaseIssue } from 'valibot';

/** What is wrong, a line each: where it is as a person counts, such as `templates[1].perms`, and what would be right. */
export function faultLines(issues: readonly BaseIssue<unknown>[]): readonly string[] {
  return issues.map(({ path = [], message }) => {
    const where = path.map(({ key }, at) => (typeof key === 'number' ? `[${key + 1}]` : `${at > 0 ? '.' : ''}${String(key)}`)).join('');
    return where === '' ? message : `${where}: ${message}`;
  });
}
