import type { WatchTransport } from '../consul/transport.ts';

/** Tells of each answer that comes, with its bytes. */
export function countedTransport(transport: WatchTransport, answered: (bytes: number) => void): WatchTransport {
  return {
    subject: transport.subject,
    capacity: transport.capacity,
    send: async (request, signal) => {
      const answer = await transport.send(request, signal);
      answered(answer.body.length);
      return answer;
    },
  };
}
