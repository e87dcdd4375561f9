import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createAlarm } from '../../daemon/alarm.ts';

const heard: string[] = [];
beforeEach(() => {
  heard.length = 0;
});

// The waiting is that of node:timers/promises, which jest's clock does not reach: real time, short.
const alarm = createAlarm((why) => heard.push(why));
afterEach(() => alarm.off());

test('wakes once, after its time', async () => {
  const start = performance.now();
  let tookMs = 0;
  const late = createAlarm(() => (tookMs = performance.now() - start));

  late.in(30, 'a');
  while (tookMs === 0) await wait(5);

  expect(tookMs).toBeGreaterThanOrEqual(28);
});

test('the earliest time counts, and later ones are forgotten with it', async () => {
  alarm.in(40, 'late');
  alarm.in(5, 'early');
  alarm.in(40, 'late again');
  await wait(80);

  expect(heard).toEqual(['early']);
});

test('once it is off it does not wake, and may be set anew', async () => {
  alarm.in(5, 'no');
  alarm.off();
  await wait(30);
  expect(heard).toEqual([]);

  alarm.in(1, 'yes');
  await wait(30);

  expect(heard).toEqual(['yes']);
});
