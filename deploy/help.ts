import type { Command } from './command.ts';

/** What toots.sh itself hands to the two services. */
const SERVICES = [
  { name: 'registrator', usage: '[options] [consul://HOST:PORT]', about: 'Docker → Consul: registers the containers of this node' },
  { name: 'templater', usage: '[options]', about: 'Consul → files; with --edge: Consul → HAProxy' },
] as const;

/** Names of everything that can follow `toots`. */
export function commandNames(commands: readonly Command[]): readonly string[] {
  return [...commands.map(({ name }) => name), ...SERVICES.map(({ name }) => name), 'help'];
}

/** The text of `toots help`. Pure. */
export function helpText(commands: readonly Command[]): string {
  const rows = (list: readonly { name: string; usage: string; about: string }[]) =>
    list.map(({ name, usage, about }) => [`  toots ${name} ${usage}`.trimEnd(), about] as const);
  const [own, services] = [rows(commands), rows(SERVICES)];
  const width = Math.max(...[...own, ...services].map(([left]) => left.length));
  const lines = (list: typeof own) => list.map(([left, about]) => `${left.padEnd(width)}   ${about}`).join('\n');
  return `Toots: plain Docker hosts as one small platform.

${lines(own)}

The services, each alone:

${lines(services)}

Options of a command: toots COMMAND -help
`;
}
