import { expect, test } from '@jest/globals';
import { parseContainer } from '../../registrator/container.ts';
import { inspection } from '../harness/inspection.ts';

test('the default bridge is a network like the others, whatever the engine', () => {
  const plain = inspection({ networks: { bridge: '172.17.0.5' } });
  const old = {
    ...plain,
    NetworkSettings: { ...plain.NetworkSettings, IPAddress: '172.17.0.5', Gateway: '172.17.0.1', SecondaryIPAddresses: null },
  };

  for (const json of [plain, old]) expect(parseContainer(json).networks).toEqual([{ network: 'bridge', address: '172.17.0.5' }]);
});

test('a network of IPv6 alone', () => {
  const plain = inspection();
  const json = {
    ...plain,
    NetworkSettings: { ...plain.NetworkSettings, Networks: { six: { IPAddress: '', GlobalIPv6Address: 'fd00::2' } } },
  };

  expect(parseContainer(json).networks).toEqual([{ network: 'six', address: 'fd00::2' }]);
});

test('lists that the engine leaves out or fills with null are empty', () => {
  const plain = inspection();
  const json = { ...plain, Config: { Image: 'web', Env: null, Labels: null }, NetworkSettings: { Ports: null, Networks: null } };

  expect(parseContainer(json)).toMatchObject({
    env: [],
    labels: {},
    exposed: [],
    networks: [],
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
  });
});

test.each([
  ['running', { isRunning: true, isPaused: false }],
  ['paused', { isRunning: true, isPaused: true }],
  ['restarting', { isRunning: false }],
  ['exited', { isRunning: false }],
] as const)('%s', (state, expected) => {
  expect(parseContainer(inspection({ state })).state).toMatchObject(expected);
});

test('a health of none is no health', () => {
  const plain = inspection();

  expect(parseContainer({ ...plain, State: { ...plain.State, Health: { Status: 'none' } } }).state).not.toHaveProperty('health');
});

test('a negative stop timeout never ends', () => {
  expect(parseContainer(inspection({ stopTimeout: -1 })).stopTimeoutMs).toBe(Number.POSITIVE_INFINITY);
});

test('something else is refused', () => {
  expect(() => parseContainer({ message: 'no such container' })).toThrow(/Id/);
});
