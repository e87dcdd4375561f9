import { stringify } from 'yaml';
import type { Daemon, Mount, NodePlan } from './daemon.ts';

/** Compose's name of everything that a node runs. */
export const COMPOSE_PROJECT = 'toots';

/** A plan as a Compose file. No value of the plan is taken for anything but text: `$` is doubled, the rest is YAML's to quote. Pure. */
export function composeText({ daemons }: NodePlan): string {
  const volumes = [...new Set(daemons.flatMap(({ mounts }) => mounts.filter(isVolume).map(({ from }) => from)))].sort();
  const document = {
    name: COMPOSE_PROJECT,
    services: Object.fromEntries(daemons.map((daemon) => [daemon.name, literal(composeService(daemon))])),
    volumes: Object.fromEntries(volumes.map((name) => [name, {}])),
  };
  return documentText(document);
}

/** A Compose document as the text of our file. Pure. */
export function documentText(document: object): string {
  return `# Written by toots; every change by hand is lost. What it is made of: ./toots.sh config\n${stringify(document, { lineWidth: 0 })}`;
}

function composeService(daemon: Daemon): object {
  const { name, image, entrypoint, command, environment, labels, mounts, tmpfs, user, groups, capabilities, privileged, hostPids } = daemon;
  const { healthCheck, stopSignal, stopGraceS, memory, writableRoot } = daemon;
  const isRoot = user !== undefined || writableRoot === true;
  return {
    image,
    container_name: `${COMPOSE_PROJECT}-${name}`,
    ...(entrypoint !== undefined && { entrypoint }),
    ...(command.length > 0 && { command }),
    network_mode: 'host',
    restart: 'always',
    ...(Object.keys(environment).length > 0 && { environment }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(mounts.length > 0 && { volumes: mounts.map(composeMount) }),
    ...(writableRoot !== true && { read_only: true }),
    ...(tmpfs !== undefined && { tmpfs }),
    ...(user !== undefined && { user }),
    ...(groups !== undefined && { group_add: groups }),
    ...(privileged === true ? { privileged } : { cap_drop: ['ALL'], ...(capabilities !== undefined && { cap_add: capabilities }) }),
    ...(hostPids === true && { pid: 'host' }),
    // A program that is not root gets its capability by its file, which this would forbid.
    ...(privileged !== true && (isRoot || capabilities === undefined) && { security_opt: ['no-new-privileges:true'] }),
    ...(healthCheck !== undefined && {
      healthcheck: { test: healthCheck, interval: '5s', timeout: '5s', retries: 3, start_period: '60s' },
    }),
    ...(stopSignal !== undefined && { stop_signal: stopSignal }),
    stop_grace_period: `${stopGraceS}s`,
    mem_limit: memory,
    logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
  };
}

function composeMount(mount: Mount): object {
  const type = isVolume(mount) ? 'volume' : 'bind';
  return { type, source: mount.from, target: mount.to, ...(mount.writable !== true && { read_only: true }) };
}

function isVolume({ from }: Mount): boolean {
  return !from.startsWith('/');
}

/** Compose replaces `$NAME` in every text; `$$` is a dollar. */
function literal(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(literal);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, literal(part)]));
  return value;
}
