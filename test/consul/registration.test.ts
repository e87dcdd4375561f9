import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as v from 'valibot';
import { digestOf } from '../../consul/check-digest.ts';
import { isRegistered, registeredAs } from '../../consul/registered.ts';
import { type Check, decode, encode, type Probe, type Registered, type Registration } from '../../consul/registration.ts';

const word = fc.stringMatching(/^[a-z0-9.-]{1,12}$/);
const duration = fc.constantFrom('10s', '1m30s', '500ms');
const period = { interval: duration, timeout: duration };

const probe: fc.Arbitrary<Probe> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('http' as const),
      url: fc.webUrl(),
      method: fc.constantFrom('GET', 'HEAD'),
      body: fc.string(),
      headers: fc.dictionary(word, fc.array(fc.string())),
      ...period,
    },
    { requiredKeys: ['kind', 'url', 'interval'] },
  ),
  fc.record({ kind: fc.constant('tcp' as const), address: word, ...period }, { requiredKeys: ['kind', 'address', 'interval'] }),
  fc.record(
    { kind: fc.constant('grpc' as const), address: word, tls: fc.record({ skipVerify: fc.boolean() }), ...period },
    { requiredKeys: ['kind', 'address', 'interval'] },
  ),
  fc.record({ kind: fc.constant('script' as const), words: fc.array(fc.string(), { minLength: 1 }), interval: duration }),
  fc.record({ kind: fc.constant('ttl' as const), ttl: duration }),
  fc.constant({ kind: 'reported' as const }),
);

const check: fc.Arbitrary<Check> = fc.record(
  {
    id: word,
    name: fc.string(),
    probe,
    status: fc.constantFrom('passing' as const, 'warning' as const, 'critical' as const),
    deregisterAfter: duration,
  },
  { requiredKeys: ['id', 'name', 'probe'] },
);

const registration: fc.Arbitrary<Registration> = fc.record({
  id: fc.string({ minLength: 1 }),
  name: fc.string({ minLength: 1 }),
  address: fc.string(),
  port: fc.integer({ min: 1, max: 65_535 }),
  taggedAddresses: fc.dictionary(
    fc.constantFrom('lan_ipv6', 'wan'),
    fc.record({ address: fc.ipV6(), port: fc.integer({ min: 1, max: 9 }) }),
  ),
  tags: fc.array(fc.string()),
  meta: fc.dictionary(word, fc.string()),
  weights: fc.record({ passing: fc.integer({ min: 1, max: 256 }), warning: fc.integer({ min: 1, max: 256 }) }),
  tagsAreFree: fc.boolean(),
  checks: fc.uniqueArray(check, { selector: ({ id }) => id }),
});

/** What an agent tells of a service it was told: everything but how its checks are made. */
function asToldByAgent(body: object): Registered {
  const { ID, Name, Checks, ...rest } = body as { ID: string; Name: string; Checks: { CheckID: string; Status?: string; Notes: string }[] };
  const checks = Object.fromEntries(
    Checks.map(({ CheckID, Status = 'critical', Notes }) => [CheckID, { CheckID, ServiceID: ID, Status, Notes }]),
  );
  const [service] = decode(
    JSON.parse(JSON.stringify({ [ID]: { ID, Service: Name, ...rest } })),
    JSON.parse(JSON.stringify(checks)),
  ).values();
  if (service === undefined) throw new Error('the service is lost');
  return service;
}

test('a registration that the agent took is the one that was sent', () => {
  fc.assert(
    fc.property(registration, (sent) => {
      const held = asToldByAgent(encode(sent));

      expect(isRegistered(sent, held)).toBe(true);
      expect(held).toEqual(registeredAs(sent));
    }),
  );
});

test('any difference that others would see is one', () => {
  fc.assert(
    fc.property(registration, registration, (one, other) => {
      const held = asToldByAgent(encode(other));
      const seen = ({ id: _, checks, ...rest }: Registration) =>
        JSON.stringify({ ...rest, checks: checks.map(digestOf).sort(), tags: rest.tagsAreFree ? [] : rest.tags });
      if (seen(one) !== seen(other) && one.checks.length >= other.checks.length) expect(isRegistered(one, held)).toBe(false);
    }),
  );
});

const PLAIN: Registration = {
  id: 'a',
  name: 'web',
  address: '10.0.0.1',
  port: 80,
  taggedAddresses: { wan: { address: '198.51.100.1', port: 80 } },
  tags: ['a', 'b'],
  meta: { k: 'v' },
  weights: { passing: 1, warning: 1 },
  tagsAreFree: false,
  checks: [{ id: 'c', name: 'n', probe: { kind: 'tcp', address: '10.0.0.1:80', interval: '10s' } }],
};

test('the address itself, which Consul adds to the tagged ones, is no difference', () => {
  const own = { address: PLAIN.address, port: PLAIN.port };
  const held = registeredAs(PLAIN);

  expect(isRegistered(PLAIN, { ...held, taggedAddresses: { ...held.taggedAddresses, lan_ipv4: own, wan_ipv4: own } })).toBe(true);
});

test.each<Partial<Registration>>([
  { name: 'other' },
  { address: '10.0.0.2' },
  { port: 81 },
  { taggedAddresses: {} },
  { taggedAddresses: { wan: { address: '198.51.100.1', port: 81 } } },
  { tags: ['b', 'a'] },
  { tags: ['a'] },
  { meta: { k: 'w' } },
  { meta: {} },
  { weights: { passing: 2, warning: 1 } },
  { weights: { passing: 1, warning: 2 } },
  { tagsAreFree: true },
  { checks: [{ id: 'd', name: 'n', probe: { kind: 'tcp', address: '10.0.0.1:80', interval: '10s' } }] },
  { checks: [{ id: 'c', name: 'n', probe: { kind: 'tcp', address: '10.0.0.1:80', interval: '11s' } }] },
  { checks: [{ id: 'c', name: 'n', probe: { kind: 'tcp', address: '10.0.0.1:80', interval: '10s' }, deregisterAfter: '1m' }] },
])('each field counts: %j', (change) => {
  const held = asToldByAgent(encode(PLAIN));

  expect(isRegistered(PLAIN, held)).toBe(true);
  expect(isRegistered({ ...PLAIN, ...change }, held)).toBe(false);
});

test('registered in maintenance, it is what it is when it is taken into maintenance afterwards', () => {
  expect(asToldByAgent(encode(PLAIN, 'toots: why'))).toEqual({ ...registeredAs(PLAIN), maintenance: 'toots: why' });
});

test('maintenance is told apart from checks, and its reason kept', () => {
  const services = { a: { ID: 'a', Service: 'web', Address: '10.0.0.1', Port: 80 } };
  const checks = { m: { CheckID: '_service_maintenance:a', ServiceID: 'a', Status: 'critical', Notes: 'by hand' } };

  const service = decode(services, checks).get('a');

  expect(service).toMatchObject({ maintenance: 'by hand', name: 'web', tags: [], meta: {}, weights: { passing: 1, warning: 1 } });
  expect(service?.checks.size).toBe(0);
});

test('an ID may be anything', () => {
  const services = JSON.parse('{"__proto__": {"ID": "__proto__", "Service": "web", "Address": "", "Port": 80}}');

  expect([...decode(services, {}).keys()]).toEqual(['__proto__']);
});

test('a check that others registered has no digest', () => {
  const services = { a: { ID: 'a', Service: 'web', Address: '', Port: 80 } };
  const checks = { c: { CheckID: 'service:a', ServiceID: 'a', Status: 'passing', Notes: 'see [wiki]' } };

  expect(decode(services, checks).get('a')?.checks.get('service:a')).toEqual({ status: 'passing' });
});

test.each([null, {}])('an agent without services: %j', (nothing) => {
  expect(decode(nothing, nothing).size).toBe(0);
});

test('an answer that is no list of services is refused', () => {
  expect(() => decode({ a: { ID: 1 } }, {})).toThrow(v.ValiError);
});
