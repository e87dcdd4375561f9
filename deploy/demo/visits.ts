import { Resolver } from 'node:dns/promises';
import { askHttp, askTcp } from '../ask.ts';
import type { DemoPorts } from './demo-ports.ts';

/** Something a person tries on a running demo; the demo tries the same before it says so. */
export interface Visit {
  readonly title: string;
  /** What a person types, or the address to open. */
  readonly command: string;
  /** What a good answer looks like. */
  readonly expect: RegExp;
  readonly ask: (signal: AbortSignal) => Promise<string>;
}

/** The service of SimpleWebapp, whose two deployments share it. */
export const SPLIT_HOST = 'python.service.consul';

/** What can be tried on a demo with these ports. */
export function demoVisits(ports: DemoPorts): readonly Visit[] {
  const edge = `http://127.0.0.1${ports.http === 80 ? '' : `:${ports.http}`}`;
  const http = (path: string, host?: string) => (signal: AbortSignal) =>
    askHttp({ port: ports.http, path, ...(host !== undefined && { host }) }, signal);
  return [
    {
      title: 'A service by its name',
      command: `curl -H 'Host: ${SPLIT_HOST}' ${edge}/`,
      expect: /^python-(stable|canary) on /,
      ask: http('/', SPLIT_HOST),
    },
    { title: 'The same by its path', command: `curl ${edge}/media/`, expect: /^python-(stable|canary) on /, ask: http('/media/') },
    { title: 'A service by its path alone', command: `curl ${edge}/minions/`, expect: /^minions on /, ask: http('/minions/') },
    {
      title: 'A TCP port',
      command: `echo hello | busybox nc 127.0.0.1 ${ports.tcp}`,
      expect: /^greeter on \S+ greets you\ngreeter on \S+ heard: hello$/,
      ask: async (signal) => (await askTcp(ports.tcp, 'hello', signal)).trim(),
    },
    {
      title: 'DNS, with ports and weights',
      command: `dig +short -p ${ports.dns} @127.0.0.1 ${SPLIT_HOST} SRV`,
      expect: /^\d+ \d+ \d+ \S+(\n\d+ \d+ \d+ \S+)+$/,
      ask: () => srvRecords(ports.dns, SPLIT_HOST),
    },
    {
      title: 'What HAProxy does',
      command: `http://127.0.0.1:${ports.stats}/`,
      expect: /Statistics Report/,
      ask: (signal) => askHttp({ port: ports.stats, path: '/' }, signal),
    },
    {
      title: 'What Consul knows',
      command: `http://127.0.0.1:${ports.consul}/ui/`,
      expect: /Consul/,
      ask: (signal) => askHttp({ port: ports.consul, path: '/ui/' }, signal),
    },
  ];
}

/** As `dig +short` prints them: priority, weight, port, target. */
async function srvRecords(dnsPort: number, name: string): Promise<string> {
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${dnsPort}`]);
  const records = await resolver.resolveSrv(name);
  return records
    .sort((a, b) => b.weight - a.weight)
    .map((record) => `${record.priority} ${record.weight} ${record.port} ${record.name}.`)
    .join('\n');
}

/** What came of a visit. */
export type VisitResult =
  | { readonly kind: 'good'; readonly visit: Visit; readonly answer: string }
  | { readonly kind: 'bad'; readonly visit: Visit; readonly why: string };

/** Tries one visit once. */
export async function tryVisit(visit: Visit, signal: AbortSignal): Promise<VisitResult> {
  try {
    const answer = await visit.ask(signal);
    if (visit.expect.test(answer)) return { kind: 'good', visit, answer };
    return { kind: 'bad', visit, why: `it answers ${JSON.stringify(answer.slice(0, 200))}` };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'bad', visit, why: error instanceof Error && error.message !== '' ? error.message : String(error) };
  }
}
