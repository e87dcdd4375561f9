import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What the proxy does with a request instead of passing it on. */
export type Fault =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  /** Half an answer, then the connection is gone. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' };

export interface ConsulProxy extends AsyncDisposable {
  readonly port: number;
  /** From now on, until undefined, requests whose URL fits get this; those that are being held get it at once. */
  readonly set: (fault: Fault | undefined, urls?: RegExp) => void;
  /** Connections that are open, and the most that ever were. */
  readonly connections: () => { readonly open: number; readonly most: number };
  /** Requests that Consul has not answered yet. */
  readonly held: () => number;
  /** URLs that were asked for, in order. */
  readonly asked: string[];
  /** Bytes of answers that were passed on. */
  readonly bytes: () => number;
}

/** Stands between a program and a real Consul agent's HTTP port. */
export async function startConsulProxy(agentPort: number): Promise<ConsulProxy> {
  const sockets = new Set<Socket>();
  const held = new Map<ServerResponse, IncomingMessage>();
  const asked: string[] = [];
  let [most, bytes] = [0, 0];
  let rule: { readonly fault: Fault; readonly urls: RegExp } | undefined;

  const server = createServer((incoming, response) => {
    asked.push(incoming.url ?? '');
    if (rule?.urls.test(incoming.url ?? '')) return suffer(response, rule.fault);
    held.set(response, incoming);
    response.on('close', () => held.delete(response));
    const options = { host: '127.0.0.1', port: agentPort, method: incoming.method, path: incoming.url, headers: incoming.headers };
    const outgoing = forward(options, (answer) => {
      if (!held.delete(response)) return;
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    set: (fault, urls = /./) => {
      rule = fault && { fault, urls };
      if (rule === undefined) return;
      for (const [response, { url }] of [...held]) {
        if (!rule.urls.test(url ?? '')) continue;
        held.delete(response);
        suffer(response, rule.fault);
      }
    },
    connections: () => ({ open: sockets.size, most }),
    held: () => held.size,
    asked,
    bytes: () => bytes,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function suffer(response: ServerResponse, fault: Fault): void {
  switch (fault.kind) {
    case 'answer':
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    case 'cut':
      response.writeHead(200, { 'x-consul-index': '9999999', 'content-length': '1000' });
      response.write('[{"Node":', () => response.destroy());
      return;
    case 'reset':
      response.destroy();
      return;
    case 'hang':
  }
}
