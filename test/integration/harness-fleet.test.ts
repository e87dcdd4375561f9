import { expect, test } from '@jest/globals';
import { type HttpAnswer, startFleet } from '../harness/fleet.ts';
import { startLoad } from '../harness/load.ts';
import { until } from '../harness/until.ts';

test('an instance says who it is and what it was asked', async () => {
  await using fleet = startFleet();
  const { address, port } = await fleet.add({ service: 'web', id: 'a' });

  const response = await fetch(`http://${address}:${port}/x?status=201`, { method: 'POST', body: 'four' });

  expect(response.status).toBe(201);
  expect((await response.json()) as HttpAnswer).toMatchObject({
    service: 'web',
    instance: 'a',
    method: 'POST',
    path: '/x?status=201',
    bodyBytes: 4,
  });
});

test('a load counts what failed, by reason, and who answered', async () => {
  await using fleet = startFleet();
  const instance = await fleet.add({ service: 'web', id: 'a' });
  await using load = startLoad({ address: instance.address, port: instance.port, host: 'web', clients: 2, pauseMs: 1 });
  await until(() => (load.report().byInstance['a'] ?? 0) > 10, 5_000, 'some answers');
  expect(load.report().failed).toBe(0);

  instance.does = 503;
  await until(() => load.report().failures['503'], 5_000, 'a 503');
  await instance.stop();
  await until(() => load.report().failures['ECONNREFUSED'], 5_000, 'a refused connection');

  const { requests, failed, byInstance } = await load.stop();
  expect(failed).toBeGreaterThan(1);
  expect(requests).toBe(failed + (byInstance['a'] ?? 0));
});
