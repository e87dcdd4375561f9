import { expect, test } from '@jest/globals';
import { nameServers, ownResolvConf } from '../../../deploy/cluster/resolv-conf.ts';

test('TT-65: the servers from before stay behind ours, so that a host whose dnsmasq is down still resolves', () => {
  const before = 'search corp.example\nnameserver 10.0.0.53\nnameserver 10.0.0.54\nnameserver 10.0.0.55\noptions ndots:2\n';

  const text = ownResolvConf(before, '10.0.0.9', nameServers(before, ['10.0.0.9']));

  expect(nameServers(text, [])).toEqual(['10.0.0.9', '10.0.0.53', '10.0.0.54']); // a resolver reads three
  expect(text).toMatch(/^# Written by toots/);
  expect(text).toContain('search corp.example\noptions ndots:2\n');
});

test('our own address and systemd-resolved’s are no servers to ask', () => {
  expect(
    nameServers('nameserver 127.0.0.53\nnameserver 10.0.0.9\n#nameserver 1.1.1.1\nnameserver 9.9.9.9', ['127.0.0.53', '10.0.0.9']),
  ).toEqual(['9.9.9.9']);
});
