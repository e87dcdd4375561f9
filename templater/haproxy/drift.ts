import type { RunningEdge, RunningInstance } from './running-edge.ts';

/** What a HAProxy is that we did not make it, a line each. Pure. */
export function driftOf(expected: RunningEdge, seen: RunningEdge): readonly string[] {
  const lines = seen.shape === undefined || shapeDiffers(expected, seen) ? ['it was loaded with another configuration'] : [];
  for (const [group, instances] of expected.instances)
    lines.push(...driftOfGroup(group, instances, seen.instances.get(group) ?? new Map()));
  return [
    ...lines,
    ...driftOfMap('host', expected.hosts, seen.hosts),
    ...driftOfMap('virtual host', expected.vhosts, seen.vhosts),
    ...driftOfMap('variant', expected.variants, seen.variants),
    ...driftOfMap('path', expected.paths, seen.paths),
    ...driftOfMap('certificate', expected.certificates, seen.certificates),
    ...seen.throttles.map(({ what }) => what),
    ...seen.closed.map((name) => `${name} takes no connections`),
  ];
}

function shapeDiffers({ shape }: RunningEdge, seen: RunningEdge): boolean {
  return shape?.base !== seen.shape?.base || shape?.groups.size !== seen.shape?.groups.size;
}

function driftOfGroup(group: string, expected: ReadonlyMap<string, RunningInstance>, seen: ReadonlyMap<string, RunningInstance>): string[] {
  const lines: string[] = [];
  for (const [name, { weight, maxConnections, ready }] of expected) {
    const now = seen.get(name);
    if (now === undefined) lines.push(`${group}/${name} is gone`);
    else if (now.moved !== undefined) lines.push(`${group}/${name} is at ${now.moved}`);
    else if (now.ready !== ready) lines.push(`${group}/${name} ${now.ready ? 'is ready' : 'is in maintenance or drain'}`);
    else if (now.weight !== weight) lines.push(`${group}/${name} has weight ${now.weight}, not ${weight}`);
    else if (maxConnections !== undefined && now.maxConnections !== undefined && now.maxConnections !== maxConnections)
      lines.push(`${group}/${name} takes ${now.maxConnections} connections, not ${maxConnections}`);
  }
  for (const name of seen.keys()) if (!expected.has(name)) lines.push(`${group}/${name} was added`);
  return lines;
}

function driftOfMap(kind: string, expected: ReadonlyMap<string, string>, seen: ReadonlyMap<string, string>): string[] {
  const lines: string[] = [];
  for (const [key, group] of expected)
    if (seen.get(key) !== group) lines.push(`${kind} ${key} leads to ${seen.get(key) ?? 'nothing'}, not ${group}`);
  for (const key of seen.keys()) if (!expected.has(key)) lines.push(`${kind} ${key} was added`);
  return lines;
}
