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

test.each([
  ['closes the connection without a word', 'data'],
  ['resets it, as what it was told is unread', 'end'],
])('one that %s, when it starts itself anew, is asked again', async (_, when) => {
  await using folder = await tempDir();
  const files = edgeFiles(folder.path);
  let asked = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    asked += 1;
    socket.on('error', () => {});
    if (asked > 1) socket.once('data', () => socket.end(PROCESSES)).resume();
    else if (when === 'data') socket.once('data', () => socket.destroy()).resume();
    else socket.destroy();
  }).listen(files.masterSocket);
  await once(server, 'listening');

  try {
    expect(await readProcesses(files, new AbortController().signal)).toMatchObject({ master: 100 });
    expect(asked).toBe(2);
  } finally {
    server.close();
  }
});

test('one that is not there is told', async () => {
  await using folder = await tempDir();

  await expect(readProcesses(edgeFiles(folder.path), new AbortController().signal)).rejects.toThrow(`show proc: ${folder.path}`);
});
