import { expect, test } from '@jest/globals';
import { findings, findingsText, type MachineFacts } from '../../../deploy/cluster/findings.ts';
import { secretsProblem } from '../../../deploy/cluster/secrets.ts';
import { SECRETS } from './a-node.ts';

const GOOD: MachineFacts = {
  engine: '20.10.24+dfsg1',
  engineForbidden: false,
  compose: '2.26.1-4',
  taken: [],
  masters: ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
  switches: [],
  skewMs: { '10.0.0.1': 400 },
  freeBytes: 50e9,
  missingImages: [],
  secrets: { file: 'restricted/secrets.json', readableByOthers: false, wrong: undefined },
  certificates: [],
  nfs: undefined,
  vipOutside: undefined,
  firewallRefuses: false,
  selinuxEnforces: false,
};

test('a machine that is as it should be', () => {
  expect(findings(GOOD)).toEqual([]);
  expect(findingsText([])).toBe('Nothing stands in the way.\n');
});

test.each<[Partial<MachineFacts>, 'bad' | 'note', RegExp, RegExp]>([
  [{ engine: undefined }, 'bad', /Docker is not there/, /docker\.io/],
  [{ engine: undefined, engineForbidden: true }, 'bad', /^this user may not speak to the Docker engine/, /as root/],
  [{ engine: '19.03.1' }, 'bad', /Docker 19\.03\.1 is older than 20/, /docker\.io/],
  [{ compose: undefined }, 'bad', /Compose is not there/, /up installs it/],
  [{ compose: 'v1.29.2' }, 'bad', /older than 2/, /up installs it/],
  [{ taken: [{ port: 53, daemon: 'dnsmasq', by: 'named (pid 7)' }] }, 'bad', /port 53 of dnsmasq is taken by named \(pid 7\)/, /end that/],
  [{ masters: ['10.0.0.1', '10.0.0.2'] }, 'note', /2 masters: as many may fail as with 1/, /odd number/],
  [{ skewMs: { '10.0.0.1': -3_200 } }, 'bad', /10\.0\.0\.1 is -3\.2 s away/, /NTP/],
  [{ skewMs: { '10.0.0.1': undefined } }, 'note', /does not answer on 8500/, /ports/],
  [{ skewMs: { '10.0.0.1': 'not told' } }, 'note', /does not tell its clock/, /run doctor there/],
  [{ freeBytes: 1e9 }, 'bad', /1\.0 GB are free/, /prune/],
  [{ missingImages: ['toots/consul:1'] }, 'note', /toots\/consul:1 is not here/, /builds it/],
  [{ secrets: 'missing' }, 'bad', /no secrets/, /toots\.sh secrets/],
  [{ secrets: { file: 'f.json', readableByOthers: true, wrong: undefined } }, 'bad', /f\.json can be read by others/, /chmod 600 f\.json/],
  [
    { secrets: { file: 'f.json', readableByOthers: false, wrong: secretsProblem(SECRETS, false) } },
    'bad',
    /f\.json: .*secrets of masters/,
    /secrets\.nodes\.json/,
  ],
  [{ certificates: [{ level: 'bad', what: 'it ended', remedy: 'secrets' }] }, 'bad', /it ended/, /secrets/],
  [{ nfs: { share: 'h:/s', reached: false, mounted: true } }, 'bad', /h:\/s does not answer/, /NFS/],
  [{ nfs: { share: 'h:/s', reached: true, mounted: false } }, 'note', /nothing is mounted/, /fstab/],
  [{ vipOutside: { vip: '10.1.0.9', nic: 'eth1' } }, 'note', /VIP 10\.1\.0\.9 is in no network of eth1/, /free address of that network/],
  [{ firewallRefuses: true }, 'note', /firewall/, /nft add rule/],
  [{ selinuxEnforces: true }, 'note', /SELinux/, /semanage/],
])('TT-05: %j is told with what to do', (facts, level, what, remedy) => {
  expect(findings({ ...GOOD, ...facts })).toEqual([{ level, what: expect.stringMatching(what), remedy: expect.stringMatching(remedy) }]);
});

test('nothing that it says to do ends a firewall or SELinux', () => {
  const all = findings({ ...GOOD, firewallRefuses: true, selinuxEnforces: true });

  expect(findingsText(all)).not.toMatch(/disable|stop|setenforce|flush/);
});
