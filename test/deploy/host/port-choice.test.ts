import { expect, test } from '@jest/globals';
import { choosePorts, type PortUse } from '../../../deploy/host/port-choice.ts';

const HTTP = { name: 'http', port: 80, instead: [8080, 8000] } as const;
const STATS = { name: 'stats', port: 81, instead: [8080, 8081] } as const;

function machineWith(taken: Readonly<Record<number, string | undefined>>): (port: number) => Promise<PortUse> {
  return async (port) => (port in taken ? { kind: 'taken', by: taken[port] } : { kind: 'free' });
}

test('what is wanted is given when it is free', async () => {
  expect(await choosePorts([HTTP, STATS], machineWith({}))).toEqual({ ports: { http: 80, stats: 81 }, moved: [] });
});

test('a busy port is replaced by the first free one of its list, and the holder is named', async () => {
  const { ports, moved } = await choosePorts([HTTP], machineWith({ 80: 'nginx (pid 7)', 8080: undefined }));

  expect(ports).toEqual({ http: 8000 });
  expect(moved).toEqual([{ name: 'http', wanted: 80, got: 8000, by: 'nginx (pid 7)' }]);
});

test('no two get the same port', async () => {
  const { ports } = await choosePorts([HTTP, STATS], machineWith({ 80: undefined, 81: undefined }));

  expect(ports).toEqual({ http: 8080, stats: 8081 });
});

test('a port that was given away as a replacement is busy for whoever wanted it first of all', async () => {
  const { ports, moved } = await choosePorts([HTTP, { name: 'web', port: 8080, instead: [] }], machineWith({ 80: undefined }));

  expect(ports).toEqual({ http: 8080, web: 20_000 });
  expect(moved[1]).toEqual({ name: 'web', wanted: 8080, got: 20_000, by: undefined });
});

test('when nothing is free it says so', async () => {
  await expect(choosePorts([HTTP], async () => ({ kind: 'taken', by: undefined }))).rejects.toThrow('choose a port: http: none is free');
});
