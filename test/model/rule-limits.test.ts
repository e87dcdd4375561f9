import { expect, test } from '@jest/globals';
import { planService } from '../../model/plan-service.ts';
import { MOST_PORTS, MOST_RULES } from '../../model/rule-limits.ts';
import { tagged } from './a-catalog.ts';

const plan = (tags: readonly string[]) =>
  planService({ service: 'web', instances: tagged(tags), keys: {}, resolved: new Map(), lastGood: undefined });
const many = (count: number, tagOf: (i: number) => string) => Array.from({ length: count }, (_, i) => tagOf(i));

test('what a service claims up to its limits it has, without a problem', () => {
  const { claims, problems } = plan([
    ...many(100, (i) => `haproxy_vhost=h${i}.test`),
    ...many(MOST_RULES / 100, (i) => `haproxy_route=/r${i}`),
    ...many(MOST_PORTS, (i) => `haproxy_tcp=${10_000 + i}`),
  ]);

  expect(problems).toEqual([]);
  expect([claims?.vhosts.length, claims?.routes.length, claims?.ports.length]).toEqual([100, MOST_RULES / 100, MOST_PORTS]);
});

test('of more it has the first, in order, whatever the order of its tags, and each kind is a problem that says how many', () => {
  const tags = [
    ...many(300, (i) => `haproxy_vhost=h${i}.test`),
    ...many(300, (i) => `haproxy_route=/r${100 + i}`),
    ...many(MOST_PORTS + 1, (i) => `haproxy_tcp=${10_000 + i}`),
  ];
  const { claims, problems } = plan(tags);

  expect([claims?.vhosts.length, claims?.routes.length, claims?.ports.length]).toEqual([300, 33, MOST_PORTS]);
  expect(problems).toMatchObject([
    { subject: 'web', option: 'haproxy_route', value: '/r133', reason: expect.stringContaining('of its 300 the first 33') },
    { subject: 'web', option: 'haproxy_tcp', value: '11000' },
  ]);
  expect(plan(tags.toReversed()).claims).toEqual(claims);
});

test('hosts and routes alone have the same limit', () => {
  const hosts = plan(many(MOST_RULES + 1, (i) => `haproxy_vhost=h${i}.test`));
  const routes = plan(many(MOST_RULES + 1, (i) => `haproxy_route=/r${i}`));

  expect([hosts.claims?.vhosts.length, hosts.problems.length]).toEqual([MOST_RULES, 1]);
  expect([routes.claims?.routes.length, routes.problems.length]).toEqual([MOST_RULES, 1]);
});
