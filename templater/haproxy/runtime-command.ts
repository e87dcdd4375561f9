import { checkWords } from './check-words.ts';
import type { EdgeAction, MapChange, MapName } from './edge-change.ts';
import type { EdgeFiles } from './edge-settings.ts';
import { serverWords } from './render.ts';
import { cookieKey } from './sticky-cookie.ts';
import { commandWord } from './words.ts';

/** One command of HAProxy's Runtime API (management guide 9.3), and the answer that means it was done. Any other answer is a failure. */
export interface RuntimeCommand {
  /** Without its line end; with a payload the lines follow. */
  readonly text: string;
  /** Lines of the payload, for a command that ends in `<<`. */
  readonly payload?: readonly string[];
  readonly done: RegExp;
}

/** What HAProxy takes in one command with its payload is bounded by its buffer (16 KB); older versions drop more without a word. Bytes. */
export const MOST_PAYLOAD_BYTES = 8_000;

const NOTHING = /^$/;

/** The commands for an action, in order. Words that were accepted on HAProxy 2.6 to 3.4. Pure. */
export function runtimeCommands(action: EdgeAction, files: MapFiles & Pick<EdgeFiles, 'certificate'>): readonly RuntimeCommand[] {
  switch (action.kind) {
    case 'add':
      return added(action);
    case 'cookies':
      return [{ text: `set dynamic-cookie-key backend ${action.group} ${cookieKey(action.group)}`, done: NOTHING }];
    case 'add-group':
      return [
        { text: `add backend ${action.group} from ${action.defaults}`, done: /New backend registered\.$/ },
        { text: `publish backend ${action.group}`, done: /Backend published/ },
      ];
    case 'drop-group':
      return [
        { text: `unpublish backend ${action.group}`, done: /Backend unpublished/ },
        { text: `del backend ${action.group}`, done: /Backend deleted/ },
      ];
    case 'stop':
      return [{ text: `set server ${action.group}/${action.name} state maint`, done: NOTHING }];
    case 'remove':
      return [{ text: `del server ${action.group}/${action.name}`, done: /Server deleted/ }];
    case 'ready':
      return [{ text: `set server ${action.group}/${action.name} state ready`, done: NOTHING }];
    case 'address':
      return [{ text: `set server ${action.group}/${action.name} addr ${action.address} port ${action.port}`, done: /changed/ }];
    case 'open':
      return [{ text: `enable frontend ${action.frontend}`, done: NOTHING }];
    case 'unthrottle':
      return [{ text: action.throttle.undo, done: NOTHING }];
    case 'weight':
      return [{ text: `set server ${action.group}/${action.name} weight ${action.weight}`, done: NOTHING }];
    case 'max-connections':
      return [{ text: `set maxconn server ${action.group}/${action.name} ${action.maxConnections}`, done: NOTHING }];
    case 'certificate':
      return certificateCommands(files.certificate(action.name), action.certificate.pem);
    case 'map':
      return mapCommands(mapFile(action.map, files), action);
    default:
      return unreachable(action);
  }
}

/** A server that is added takes nothing from any default: everything is said. Its checks have to be enabled too. */
function added({ group, instance, checked }: EdgeAction & { kind: 'add' }): RuntimeCommand[] {
  const name = `${group}/${instance.name}`;
  return [
    { text: `add server ${name} ${serverWords(instance)} ${checkWords(checked)}`, done: /New server registered/ },
    { text: `enable health ${name}`, done: NOTHING },
    { text: `enable server ${name}`, done: NOTHING },
  ];
}

/** Replaced in one step; connections that are open keep the old one. The payload ends at an empty line, which a certificate has none of. */
function certificateCommands(file: string, pem: string): RuntimeCommand[] {
  return [
    { text: `set ssl cert ${file} <<`, payload: pem.trim().split('\n'), done: /Transaction (created|updated)/ },
    { text: `commit ssl cert ${file}`, done: /Success!/ },
  ];
}

/** The map's name at run time: the path of its file. */
function mapFile(map: MapName, { hostsMap, vhostsMap, variantsMap, pathsMap }: MapFiles): string {
  return { hosts: hostsMap, vhosts: vhostsMap, variants: variantsMap, paths: pathsMap }[map];
}

type MapFiles = Pick<EdgeFiles, 'hostsMap' | 'vhostsMap' | 'variantsMap' | 'pathsMap'>;

/** `add map` would make a second entry of a key that is there, so those are set; keys that are gone already are as good as deleted. */
function mapCommands(file: string, { add, set, drop }: MapChange): RuntimeCommand[] {
  return [
    ...payloads(add).map((payload) => ({ text: `add map ${file} <<`, payload, done: NOTHING })),
    ...[...set].map(([key, group]) => ({ text: `set map ${file} ${commandWord(key)} ${group}`, done: NOTHING })),
    ...drop.map((key) => ({ text: `del map ${file} ${commandWord(key)}`, done: /^$|not found/i })),
  ];
}

function payloads(add: ReadonlyMap<string, string>): string[][] {
  const chunks: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [key, group] of add) {
    const line = `${key} ${group}`;
    bytes += line.length + 1;
    if (bytes > MOST_PAYLOAD_BYTES) {
      chunks.push([]);
      bytes = line.length + 1;
    }
    chunks.at(-1)?.push(line);
  }
  return chunks;
}

function unreachable(action: never): never {
  throw new Error(`no such action: ${JSON.stringify(action)}`);
}
