import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { edgeFiles } from '../../../templater/haproxy/edge-settings.ts';
import { readProcesses } from '../../../templater/haproxy/haproxy-process.ts';
import { tempDir } from '../../harness/temp-dir.ts';

const PROCESSES = '#<PID> <type>\n100             master          2               0d00h00m10s     2.6.12-1\n';

test('a master that does not listen yet, as it starts itself anew at a reload, is waited for', async () => {
  await using folder = await tempDir();
  const files = edgeFiles(folder.path);
  const read = readProcesses(files, new AbortController().signal);

  await new Promise(setImmediate);
  const server = createServer((socket) => socket.end(PROCESSES)).listen(files.masterSocket);
  await once(server, 'listening');

  try {
    expect(await read).toEqual({ master: 100, failedReloads: 0, oldWorkers: 0 });
  } finally {
    server.close();
  }
});

test('one that is not there is told', async () => {
  await using folder = await tempDir();

  await expect(readProcesses(edgeFiles(folder.path), new AbortController().signal)).rejects.toThrow(`show proc: ${folder.path}`);
});
