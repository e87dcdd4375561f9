import type { Finding } from './findings.ts';
import type { NodeContext } from './node-context.ts';

/** What is wrong about LISTEN_IP on this node, whose addresses are given. Pure. */
export function listenFindings({ conf, answers }: Pick<NodeContext, 'conf' | 'answers'>, own: readonly string[]): readonly Finding[] {
  const { LISTEN_IP: listen } = conf;
  if (listen === undefined || listen === '0.0.0.0') return [];
  const remedy = `take LISTEN_IP out of Toots.conf, or write another into this node's restricted/overwrite`;
  const isOwn = own.includes(listen) || listen.startsWith('127.');
  return [
    ...(isOwn ? [] : [{ level: 'bad', what: `LISTEN_IP ${listen} is no address of this node`, remedy } as const]),
    ...(answers.roles.has('edge') && answers.vip !== undefined
      ? [{ level: 'bad', what: `HAProxy would listen on LISTEN_IP ${listen} alone, and not serve the VIP ${answers.vip}`, remedy } as const]
      : []),
  ];
}
