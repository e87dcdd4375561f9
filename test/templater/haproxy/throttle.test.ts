import { expect, test } from '@jest/globals';
import { parseThrottles } from '../../../templater/haproxy/throttle.ts';

const info = (lines: Record<string, number>) =>
  Object.entries({ Maxconn: 9986, Hard_maxconn: 9986, ConnRateLimit: 0, SessRateLimit: 0, SslRateLimit: 0, ...lines })
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

test.each<[title: string, lines: Record<string, number>, undo: string[]]>([
  ['nothing', {}, []],
  ['fewer connections', { Maxconn: 5 }, ['set maxconn global 9986']],
  ['rates', { ConnRateLimit: 1, SslRateLimit: 2 }, ['set rate-limit connections global 0', 'set rate-limit ssl-sessions global 0']],
  ['a rate of sessions', { SessRateLimit: 7 }, ['set rate-limit sessions global 0']],
])('HAProxy is held back by %s', (_, lines, undo) => {
  expect(parseThrottles(info(lines)).map((throttle) => throttle.undo)).toEqual(undo);
});

test('what a HAProxy does not tell holds it back by nothing', () => {
  expect(parseThrottles('Maxconn: 491\n')).toEqual([]);
});
