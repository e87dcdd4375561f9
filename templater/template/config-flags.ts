import type { RawConfig } from './config-schema.ts';

/** Where in the configuration a flag comes from, by its path. */
const FLAG_NAMES: Readonly<Record<string, string>> = {
  'consul.address': 'consul-addr',
  'consul.ssl.enabled': 'consul-ssl',
  'exec.command': 'exec',
};

/** The flags that the configuration stands for: everything in it that is no template. Pure. */
export function configFlags({ templates: _, ...config }: RawConfig): readonly string[] {
  return flagsOf(config, []);
}

function flagsOf(config: object, path: readonly string[]): readonly string[] {
  return Object.entries(config).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined) return [];
    const here = [...path, name];
    const flag = FLAG_NAMES[here.join('.')] ?? here.join('-').replaceAll('_', '-');
    if (Array.isArray(value)) return flag === 'exec' ? [`-exec=${value.map(quoted).join(' ')}`] : value.map((item) => `-${flag}=${item}`);
    return typeof value === 'object' && value !== null ? flagsOf(value, here) : [`-${flag}=${value}`];
  });
}

/** A word as a shell takes it whole. */
function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
