import { expect, test } from '@jest/globals';
import { certificateFindings } from '../../../deploy/cluster/certificates.ts';
import { makeSecrets } from '../../../deploy/cluster/make-secrets.ts';
import { withoutMaster } from '../../../deploy/cluster/secrets.ts';
import { conf, SECRETS } from './a-node.ts';

const DAY_MS = 24 * 3_600_000;
const { secrets } = await makeSecrets('ber', 'corp', new AbortController().signal);

const found = (text: string, days = 0) =>
  certificateFindings(secrets, conf(text), Date.now() + days * DAY_MS).map(({ level, what }) => `${level}: ${what}`);

test('certificates of this datacenter and domain that go on for long are as they should be', () => {
  expect(found('CONSUL_DC=ber\nIN_DOMAIN=corp')).toEqual([]);
});

test.each([
  ['CONSUL_DC=ber\nIN_DOMAIN=other', 'ber.other'],
  ['CONSUL_DC=dc2\nIN_DOMAIN=corp', 'dc2.corp'],
  ['', 'dc1.consul'],
])('%j after they were made is told, with what to do', (text, suffix) => {
  const [client, server, ...rest] = certificateFindings(secrets, conf(text), Date.now());

  expect(rest).toEqual([]);
  expect(client).toMatchObject({
    level: 'bad',
    what: expect.stringMatching(`clients’ .*DNS:client\\.ber\\.corp.* makes this client\\.${suffix}$`),
  });
  expect(server).toMatchObject({
    level: 'bad',
    what: expect.stringMatching(`servers’ .*DNS:server\\.ber\\.corp.* makes this server\\.${suffix}$`),
  });
  expect(client?.remedy).toMatch(/put IN_DOMAIN and CONSUL_DC back, or .*secrets -replace.*every other node.*up on each/);
  expect(certificateFindings(withoutMaster(secrets), conf(text), Date.now())).toEqual([client]);
});

test('a certificate that ends soon is told, one that has ended keeps the node from working', () => {
  const text = 'CONSUL_DC=ber\nIN_DOMAIN=corp';

  expect(found(text, 1_800)).toEqual([
    expect.stringMatching(/^note: the clients’ certificate ends on \d{4}-\d\d-\d\d$/),
    expect.stringMatching(/^note: the servers’ certificate ends on/),
  ]);
  expect(found(text, 1_826)).toEqual([
    expect.stringMatching(/^bad: the clients’ certificate ended on/),
    expect.stringMatching(/^bad: the servers’/),
  ]);
  expect(found(text, 3_640)[0]).toMatch(/^note: the CA’s certificate ends on/);
});

test('what is no certificate is told', () => {
  expect(certificateFindings(SECRETS, conf(), Date.now()).map(({ level, what }) => [level, what])).toEqual([
    ['bad', 'the CA’s certificate cannot be read'],
    ['bad', 'the clients’ certificate cannot be read'],
    ['bad', 'the servers’ certificate cannot be read'],
  ]);
});
