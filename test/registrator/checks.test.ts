import { expect, test } from '@jest/globals';
import { type CheckAbilities, parseChecks } from '../../registrator/checks.ts';
import { readMetadata } from '../../registrator/metadata.ts';

const CHECKED = { serviceId: 's', address: '10.0.0.1', port: 8080, containerId: 'c'.repeat(64), containerPort: 80 };
const ALL: CheckAbilities = { scripts: true, serverName: true };

function parse(keys: Record<string, string>, { address = '10.0.0.1', abilities = ALL } = {}) {
  const labels = Object.fromEntries(Object.entries(keys).map(([key, value]) => [`SERVICE_CHECK_${key}`, value]));
  return parseChecks(readMetadata([], labels).ofPort(80), { ...CHECKED, address }, abilities);
}

const every = { interval: '10s' };

test.each([
  ['http', { HTTP: '/health' }, { kind: 'http', url: 'http://10.0.0.1:8080/health', ...every }],
  ['http without a slash', { HTTP: 'health' }, { kind: 'http', url: 'http://10.0.0.1:8080/health', ...every }],
  [
    'http, every option',
    { HTTP: '/', HTTP_METHOD: 'POST', HTTP_BODY: 'b', HTTP_HEADER: 'Host: a, X-L: 1\\, 2, X-L: 3', TIMEOUT: '1s', INTERVAL: '5s' },
    {
      kind: 'http',
      url: 'http://10.0.0.1:8080/',
      method: 'POST',
      body: 'b',
      headers: { Host: ['a'], 'X-L': ['1, 2', '3'] },
      interval: '5s',
      timeout: '1s',
    },
  ],
  [
    'https',
    { HTTPS: '/up?a=1', HTTPS_METHOD: 'HEAD' },
    { kind: 'http', url: 'https://10.0.0.1:8080/up?a=1', method: 'HEAD', tls: {}, ...every },
  ],
  [
    'https, not verified',
    { HTTPS: '/', TLS_SKIP_VERIFY: 'true' },
    { kind: 'http', url: 'https://10.0.0.1:8080/', tls: { skipVerify: true }, ...every },
  ],
  [
    'https, another name',
    { HTTPS: '/', TLS_SERVER_NAME: 'web.test' },
    { kind: 'http', url: 'https://10.0.0.1:8080/', tls: { serverName: 'web.test' }, ...every },
  ],
  ['tcp', { TCP: 'true' }, { kind: 'tcp', address: '10.0.0.1:8080', ...every }],
  ['grpc', { GRPC: 'true' }, { kind: 'grpc', address: '10.0.0.1:8080', ...every }],
  [
    'grpc over TLS, of a service',
    { GRPC: 'true', GRPC_USE_TLS: '1', GRPC_SERVICE: 'a.B' },
    { kind: 'grpc', address: '10.0.0.1:8080/a.B', tls: {}, ...every },
  ],
  ['ttl', { TTL: '30s', TIMEOUT: '1s' }, { kind: 'ttl', ttl: '30s' }],
  [
    'script: words, quotes, address and port',
    { SCRIPT: `sh -c "curl '$SERVICE_IP':$SERVICE_PORT" a\\ b` },
    { kind: 'script', words: ['sh', '-c', "curl '10.0.0.1':8080", 'a b'], ...every },
  ],
  ['command in the container', { CMD: 'a b' }, { kind: 'script', words: ['check-cmd', 'cccccccccccc', '80', 'a b'], ...every }],
])('%s', (_, keys, probe) => {
  const { checks, refused } = parse(keys);

  expect(refused).toEqual([]);
  expect(checks).toMatchObject([{ id: 'service:s' }]);
  expect(checks[0]?.probe).toEqual(probe);
});

test('an IPv6 address is bracketed', () => {
  const { checks } = parse({ HTTP: '/', TCP: '1' }, { address: '2001:db8::1' });

  expect(checks.map(({ probe }) => probe)).toMatchObject([{ url: 'http://[2001:db8::1]:8080/' }, { address: '[2001:db8::1]:8080' }]);
});

test('several checks are several; the first has the ID that others may know', () => {
  expect(parse({ HTTP: '/', TCP: '1' }).checks.map(({ id }) => id)).toEqual(['service:s', 'toots:tcp:s']);
});

test('a check that the container refreshes always has that ID', () => {
  expect(parse({ HTTP: '/', TTL: '10s' }).checks.map(({ id }) => id)).toEqual(['toots:http:s', 'service:s']);
});

test('two services have no check in common, whatever their IDs', () => {
  const ids = (serviceId: string, keys: Record<string, string>) =>
    parseChecks(readMetadata([], keys).ofPort(80), { ...CHECKED, serviceId }, ALL).checks.map(({ id }) => id);
  const keys = { SERVICE_CHECK_HTTP: '/', SERVICE_CHECK_TCP: '1', SERVICE_CHECK_GRPC: '1' };
  const all = ['x', 'x:tcp', 'x:grpc', 'x:tcp:grpc'].flatMap((id) => ids(id, keys));

  expect(new Set(all).size).toBe(all.length);
});

test.each(['+15s', '.5s', '1.s'])('%s is a duration to Go', (INTERVAL) => {
  expect(parse({ TCP: '1', INTERVAL })).toMatchObject({ refused: [], checks: [{ probe: { interval: INTERVAL } }] });
});

test('what is said of all checks holds for each', () => {
  expect(parse({ HTTP: '/', TCP: '1', INITIAL_STATUS: 'passing', DEREGISTER_AFTER: '10m' }).checks).toMatchObject([
    { status: 'passing', deregisterAfter: '10m' },
    { status: 'passing', deregisterAfter: '10m' },
  ]);
});

test.each([{}, { HTTP: '', TIMEOUT: 'nonsense' }])('no check: %j', (keys) => {
  expect(parse(keys)).toEqual({ checks: [], refused: [] });
});

test.each([
  ['an interval without a unit', { TCP: '1', INTERVAL: '10' }, 'INTERVAL', { interval: '10s' }],
  ['an interval beyond what Go can count', { TCP: '1', INTERVAL: '9999999h' }, 'INTERVAL', { interval: '10s' }],
  ['a timeout that is no time', { TCP: '1', TIMEOUT: '0.1ns' }, 'TIMEOUT', { kind: 'tcp' }],
  ['a time that is too long to be deregistered after', { TCP: '1', DEREGISTER_AFTER: '999999999h' }, 'DEREGISTER_AFTER', { kind: 'tcp' }],
  ['a timeout that is none', { TCP: '1', TIMEOUT: 'x' }, 'TIMEOUT', { kind: 'tcp' }],
  ['a header that is none', { HTTP: '/', HTTP_HEADER: 'nonsense' }, 'HTTP_HEADER', { kind: 'http' }],
])('%s is a problem, and the check is made without', (_, keys, option, probe) => {
  const { checks, refused } = parse(keys);

  expect(refused).toMatchObject([{ option: `SERVICE_CHECK_${option}` }]);
  expect(checks[0]?.probe).toMatchObject(probe);
});

test('an initial status that is none is a problem', () => {
  const { checks, refused } = parse({ TCP: '1', INITIAL_STATUS: 'fine' });

  expect(refused).toMatchObject([{ option: 'SERVICE_CHECK_INITIAL_STATUS', value: 'fine' }]);
  expect(checks[0]).not.toHaveProperty('status');
});

test.each([
  ['a path with a line feed', { HTTP: '/a\nb', TCP: '1' }, 'HTTP'],
  ['a TTL that is none', { TTL: '0', TCP: '1' }, 'TTL'],
  ['a TTL that is too long', { TTL: '9999999h', TCP: '1' }, 'TTL'],
  ['a script that is blank', { SCRIPT: '   ', TCP: '1' }, 'SCRIPT'],
  ['a script without a command', { SCRIPT: '""', TCP: '1' }, 'SCRIPT'],
  ['a quote that stands alone', { SCRIPT: "echo it's ok", TCP: '1' }, 'SCRIPT'],
])('%s: there is no such check, and the other stays', (_, keys, option) => {
  const { checks, refused } = parse(keys);

  expect(refused).toMatchObject([{ option: `SERVICE_CHECK_${option}` }]);
  expect(checks).toMatchObject([{ id: 'service:s', probe: { kind: 'tcp' } }]);
});

test('an agent without script checks: a problem, and the service goes without', () => {
  const { checks, refused } = parse({ SCRIPT: 'true' }, { abilities: { scripts: false, serverName: true } });

  expect(checks).toEqual([]);
  expect(refused).toMatchObject([{ option: 'SERVICE_CHECK_SCRIPT', reason: expect.stringContaining('enable_script_checks') }]);
});

test('an agent that does not know server names: a problem, and the check is made without', () => {
  const { checks, refused } = parse({ HTTPS: '/', TLS_SERVER_NAME: 'x' }, { abilities: { scripts: true, serverName: false } });

  expect(checks[0]?.probe).toMatchObject({ tls: {} });
  expect(refused).toMatchObject([{ option: 'SERVICE_CHECK_TLS_SERVER_NAME' }]);
});
