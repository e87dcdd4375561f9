/** What a file of environment variables says. */
export interface EnvFile {
  readonly variables: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

/**
 * Reads a file of environment variables as Docker reads its env files: `NAME=value`, the value as it stands with its blanks and dollars, without
 * the quotes around all of it; a bare `NAME` is passed on from `own`, and left out where it is not there. Nothing is expanded. Pure.
 */
export function parseEnvFile(text: string, file: string, own: Readonly<Record<string, string | undefined>>): EnvFile {
  const variables: Record<string, string> = {};
  const problems: string[] = [];
  text.split(/\r?\n|\r$/).forEach((line, index) => {
    if (/^\s*(#.*)?$/.test(line)) return;
    const at = line.indexOf('=');
    const name = at < 0 ? line.trim() : line.slice(0, at).trimStart();
    if (!/^[^\s=]+$/.test(name)) {
      problems.push(
        `${file}:${index + 1}: must be NAME=value without spaces around =, or a bare NAME, got ${JSON.stringify(line.slice(0, 80))}`,
      );
      return;
    }
    const given = at < 0 ? own[name] : unquoted(line.slice(at + 1));
    if (given !== undefined) variables[name] = given;
  });
  return { variables, problems };
}

function unquoted(value: string): string {
  const [, double, single] = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)')$/.exec(value.trim()) ?? [];
  return double ?? single ?? value;
}
