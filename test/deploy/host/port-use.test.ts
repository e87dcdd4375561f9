import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { expect, test } from '@jest/globals';
import { listeningInodes, portUse } from '../../../deploy/host/port-use.ts';
import { freePort } from '../../harness/free-port.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000 100 0 0 10 0
   1: 0100007F:0050 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000 100 0 0 10 0
   2: 0100007F:2198 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4713 2 0000 0
`;

test('sockets that listen on a port are found in the kernel’s table, connections on it are not', () => {
  expect(listeningInodes(TABLE, 80)).toEqual(['4711']);
  expect(listeningInodes(TABLE, 8600)).toEqual(['4713']);
  expect(listeningInodes(TABLE, 81)).toEqual([]);
});

async function listening(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('a port that somebody listens on is taken, by that program; afterwards it is free', async () => {
  const port = await freePort();
  const server = await listening(port);

  const busy = await portUse(port);
  await new Promise((resolve) => server.close(resolve));

  expect(busy).toEqual({ kind: 'taken', by: expect.stringMatching(new RegExp(`\\(pid ${process.pid}\\)$`)) });
  expect(await portUse(port)).toEqual({ kind: 'free' });
});
