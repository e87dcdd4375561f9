import { expect, test } from '@jest/globals';
import { consulProblem } from '../../../templater/haproxy/consul-problem.ts';

const SHOP = { since: 20_000, error: 'GET shop: 403' };
const LIST = { since: 10_000, error: 'GET list: refused' };

test.each([
  ['none while all queries are answered', [], 60_000, []],
  ['none while it may be a short one', [LIST], 14_999, []],
  [
    'one for all, by the query that waits the longest',
    [SHOP, LIST],
    60_000,
    ['GET list: refused; what Consul told last is served until it answers'],
  ],
])('%s', (_, failing, now, reasons) => {
  const problems = consulProblem('http://consul', failing, now);

  expect(problems.map(({ reason }) => reason)).toEqual(reasons);
  for (const problem of problems) expect(problem).toMatchObject({ subject: 'edge', option: 'consul', value: 'http://consul' });
});
