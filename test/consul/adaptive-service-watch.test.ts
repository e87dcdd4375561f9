import { expect, test } from '@jest/globals';
import { chooseWay, type WatchWay } from '../../consul/adaptive-service-watch.ts';

test.each<readonly [WatchWay | undefined, number, number, WatchWay]>([
  [undefined, 0, 100, 'each'],
  [undefined, 90, 100, 'each'],
  [undefined, 91, 100, 'triggers'],
  ['each', 90, 100, 'each'],
  ['each', 91, 100, 'triggers'],
  ['triggers', 90, 100, 'triggers'],
  ['triggers', 68, 100, 'triggers'],
  ['triggers', 67, 100, 'each'],
  [undefined, 2_000, 12_500, 'each'],
  [undefined, 1, 0, 'triggers'],
])('after %s, %i services with room for %i requests are watched by %s', (before, services, capacity, expected) => {
  expect(chooseWay(before, services, capacity)).toBe(expected);
});
