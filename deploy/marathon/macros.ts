/** A document with its macros replaced, or the names that the environment does not have. */
export type Expanded = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'missing'; readonly names: readonly string[] };

const MACRO = /%%([A-Za-z_][A-Za-z0-9_]*)%%/g;

/**
 * Replaces `%%NAME%%` by what the environment says, as marathon_deploy did. Inside of a JSON string the value is written as JSON's text, so
 * no quote in it ends the string; outside of one it must be a number, true or false, and is text otherwise. Pure.
 */
export function expandJson(text: string, env: Readonly<Record<string, string | undefined>>): Expanded {
  const missing = missingNames(text, env);
  if (missing.length > 0) return { kind: 'missing', names: missing };
  const strings = /"(?:[^"\\]|\\.)*"|%%[A-Za-z_][A-Za-z0-9_]*%%/g;
  return {
    kind: 'text',
    text: text.replace(strings, (found) => {
      if (found.startsWith('"')) return found.replace(MACRO, (_, name: string) => JSON.stringify(env[name]).slice(1, -1));
      const value = env[found.slice(2, -2)] ?? '';
      return /^(-?\d+(\.\d+)?|true|false)$/.test(value) ? value : JSON.stringify(value);
    }),
  };
}

/** Replaces `%%NAME%%` in every text of a value that was parsed, such as YAML's. Pure. */
export function expandTexts(value: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof value === 'string') return value.replace(MACRO, (_, name: string) => env[name] ?? '');
  if (Array.isArray(value)) return value.map((part) => expandTexts(part, env));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, expandTexts(part, env)]));
  return value;
}

/** Names of macros that the environment does not have, each once. Pure. */
export function missingNames(text: string, env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const names = [...text.matchAll(MACRO)].map(([, name = '']) => name);
  return [...new Set(names)].filter((name) => env[name] === undefined);
}
