import { expect, test } from '@jest/globals';
import type { DaemonChange } from '../../../deploy/cluster/plan-change.ts';
import { upgradeText, withNewImages } from '../../../deploy/cluster/upgrade-command.ts';

const change = (name: string, does: DaemonChange['does']): DaemonChange => ({ name, does, because: [] });

test('an image that was built anew under the same name is another one', () => {
  const changes = [change('consul', 'keep'), change('haproxy', 'keep'), change('dnsmasq', 'start')];

  expect(withNewImages(changes, { consul: 'sha256:1', haproxy: 'sha256:2' }, { consul: 'sha256:1', haproxy: 'sha256:3' })).toEqual([
    change('consul', 'keep'),
    { name: 'haproxy', does: 'replace', because: ['image'] },
    change('dnsmasq', 'start'),
  ]);
});

test.each([
  [[change('consul', 'replace')], /^ {2}consul {2}replace\n$/],
  [[change('haproxy', 'replace')], /no request is lost/],
  [[change('keepalived', 'replace')], /VIP, it keeps it: a stand-in/],
  [[change('dnsmasq', 'start'), change('keepalived', 'remove')], /\.\/toots\.sh up does that with dnsmasq, keepalived/],
])('%j: what clients see of an upgrade is told before it', (changes, text) => {
  expect(upgradeText(changes)).toMatch(text);
});
