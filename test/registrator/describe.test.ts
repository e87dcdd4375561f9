import { expect, test } from '@jest/globals';
import { type DescribePolicy, describeContainer, type Surroundings } from '../../registrator/describe.ts';
import { parseTagTemplate } from '../../registrator/tag-template.ts';
import type { InspectedContainer } from '../harness/inspection.ts';
import { aContainer, NEAR, POLICY } from './a-container.ts';

/** `ID = name address:port [tags]` of each service. */
function describe(given: InspectedContainer, policy: Partial<DescribePolicy> = {}, near: Partial<Surroundings> = {}): string[] {
  return describeContainer(aContainer(given), { ...POLICY, ...policy }, { ...NEAR, ...near }).services.map(
    ({ registration: { id, name, address, port, tags } }) =>
      `${id} = ${name} ${address}:${port}${tags.length > 0 ? ` [${tags.join(' ')}]` : ''}`,
  );
}

const TWO = { '443/tcp': ['8443'], '80/tcp': ['8080'] };
const DNS = { '53/tcp': ['5300'], '53/udp': ['5301'] };
const IP = { hostAddress: '203.0.113.7' };
const INTERNAL = { isInternal: true };

type Row = [title: string, container: InspectedContainer, policy: Partial<DescribePolicy>, services: string[]];

test.each<Row>([
  ['the image names the service', {}, {}, ['h:web1:80 = web 203.0.113.9:8080']],
  [
    'registry, path, tag and digest are no part of it',
    { image: 'repo:5000/team/shop:1.2@sha256:abc' },
    {},
    ['h:web1:80 = shop 203.0.113.9:8080'],
  ],
  ['under Compose too', { labels: { 'com.docker.compose.service': 'cart' } }, {}, ['h:web1:80 = web 203.0.113.9:8080']],
  [
    '-name compose takes the Compose service',
    { labels: { 'com.docker.compose.service': 'cart' } },
    { nameFrom: 'compose' },
    ['h:web1:80 = cart 203.0.113.9:8080'],
  ],
  ['-name compose without Compose', {}, { nameFrom: 'compose' }, ['h:web1:80 = web 203.0.113.9:8080']],
  [
    'SERVICE_NAME beats both',
    { env: { SERVICE_NAME: 'x' }, labels: { 'com.docker.compose.service': 'cart' } },
    { nameFrom: 'compose' },
    ['h:web1:80 = x 203.0.113.9:8080'],
  ],
  [
    'two ports: the exposed port is the suffix, the lowest comes first',
    { ports: TWO },
    {},
    ['h:web1:80 = web-80 203.0.113.9:8080', 'h:web1:443 = web-443 203.0.113.9:8443'],
  ],
  [
    'a name of the port has none',
    { ports: TWO, env: { SERVICE_80_NAME: 'http' } },
    {},
    ['h:web1:80 = http 203.0.113.9:8080', 'h:web1:443 = web-443 203.0.113.9:8443'],
  ],
  [
    'an empty name of the port: the image, and no suffix',
    { ports: TWO, env: { SERVICE_80_NAME: '' } },
    {},
    ['h:web1:80 = web 203.0.113.9:8080', 'h:web1:443 = web-443 203.0.113.9:8443'],
  ],
  ['an ignored port adds no suffix', { ports: TWO, env: { SERVICE_443_IGNORE: 'false' } }, {}, ['h:web1:80 = web 203.0.113.9:8080']],
  [
    'tcp and udp of one port are two',
    { ports: DNS, env: { SERVICE_NAME: 'dns' } },
    {},
    ['h:web1:53 = dns-53 203.0.113.9:5300', 'h:web1:53:udp = dns-53 203.0.113.9:5301 [udp]'],
  ],
  ['SERVICE_ID as it is', { ports: { '53/udp': ['53'] }, env: { SERVICE_ID: 'mine' } }, {}, ['mine = web 203.0.113.9:53 [udp]']],
  ['-explicit', { ports: TWO, env: { SERVICE_80_NAME: 'x' } }, { isExplicit: true }, ['h:web1:80 = x 203.0.113.9:8080']],
  [
    'two names: the first keeps the plain ID',
    { env: { SERVICE_NAME: 'web, web-int,,web' } },
    {},
    ['h:web1:80 = web 203.0.113.9:8080', 'h:web1:80:web-int = web-int 203.0.113.9:8080'],
  ],
  [
    'two names of two ports: each has the suffix, unless it is the port’s own',
    { ports: TWO, env: { SERVICE_NAME: 'a,b', SERVICE_443_NAME: 'x,y' } },
    {},
    [
      'h:web1:80 = a-80 203.0.113.9:8080',
      'h:web1:80:b = b-80 203.0.113.9:8080',
      'h:web1:443 = x 203.0.113.9:8443',
      'h:web1:443:y = y 203.0.113.9:8443',
    ],
  ],
  [
    'two names of two bindings',
    { ports: { '53/udp': ['10.0.0.1:53', '10.0.0.2:5353'] }, env: { SERVICE_NAME: 'a,b', SERVICE_ID: 'i' } },
    {},
    ['i = a 10.0.0.1:53 [udp]', 'i:5353 = a 10.0.0.2:5353 [udp]', 'i:b = b 10.0.0.1:53 [udp]', 'i:b:5353 = b 10.0.0.2:5353 [udp]'],
  ],
  ['commas alone are no name', { env: { SERVICE_NAME: ' , ' } }, {}, ['h:web1:80 = web 203.0.113.9:8080']],
  ['commas alone are no name for -explicit', { env: { SERVICE_NAME: ',' } }, { isExplicit: true }, []],
  ['a label of ours', { labels: { 'toots.name': 'own' }, env: { SERVICE_NAME: 'x' } }, {}, ['h:web1:80 = own 203.0.113.9:8080']],
  [
    'tags of the port stand instead of the general ones',
    { env: { SERVICE_TAGS: 'a,b', SERVICE_80_TAGS: 'b,c' } },
    {},
    ['h:web1:80 = web 203.0.113.9:8080 [b c]'],
  ],
  [
    '-merge-tags: before them, and before -tags',
    { env: { SERVICE_TAGS: 'a,b', SERVICE_80_TAGS: 'b,c' } },
    { mergesTags: true, extraTags: parseTagTemplate('x') },
    ['h:web1:80 = web 203.0.113.9:8080 [b c a x]'],
  ],
  ['-filter, none fits', {}, { filters: [{ kind: 'label', key: 'team' }] }, []],
  [
    '-filter, one fits',
    { labels: { team: 'red' } },
    { filters: [{ kind: 'label', key: 'team', value: 'red' }] },
    ['h:web1:80 = web 203.0.113.9:8080'],
  ],
  ['SERVICE_IGNORE', { env: { SERVICE_IGNORE: '0' } }, {}, []],
  ['not published', { ports: { '80/tcp': [] } }, {}, []],

  [
    'tags in order, -tags after them, udp last',
    { ports: { '53/udp': ['53'] }, env: { SERVICE_TAGS: 'b,a' } },
    { extraTags: parseTagTemplate('x,b') },
    ['h:web1:53:udp = web 203.0.113.9:53 [b a x udp]'],
  ],
  [
    'tags of the port replace the general ones',
    { ports: TWO, env: { SERVICE_TAGS: 'y', SERVICE_80_TAGS: 'x' } },
    {},
    ['h:web1:80 = web-80 203.0.113.9:8080 [x]', 'h:web1:443 = web-443 203.0.113.9:8443 [y]'],
  ],
  [
    '-tags is a template over the inspection',
    { hostname: 'box7' },
    { extraTags: parseTagTemplate('host={{.Config.Hostname}},{{.Nope}},z') },
    ['h:web1:80 = web 203.0.113.9:8080 [host=box7 z]'],
  ],

  ['-ip', {}, IP, ['h:web1:80 = web 203.0.113.7:8080']],
  ['0.0.0.0 and :: of one host port are one', { ports: { '80/tcp': ['8080', '[::]:8080'] } }, {}, ['h:web1:80 = web 203.0.113.9:8080']],
  [
    'of 0.0.0.0 and :: with different host ports, the one behind the address',
    { ports: { '80/tcp': ['8081', '[::]:8080'] } },
    {},
    ['h:web1:80 = web 203.0.113.9:8081'],
  ],
  [
    'the same, where the address is one of IPv6',
    { ports: { '80/tcp': ['8081', '[::]:8080'] } },
    { hostAddress: '2001:db8::7' },
    ['h:web1:80 = web 2001:db8::7:8080'],
  ],
  ['published on :: alone', { ports: { '80/tcp': ['[::]:8080'] } }, {}, ['h:web1:80 = web 203.0.113.9:8080']],
  [
    'the lowest host port keeps the plain ID',
    { ports: { '80/tcp': ['9090', '8080'] } },
    {},
    ['h:web1:80 = web 203.0.113.9:8080', 'h:web1:80:9090 = web 203.0.113.9:9090'],
  ],
  [
    'a further binding of udp',
    { ports: { '53/udp': ['53', '5353'] } },
    {},
    ['h:web1:53:udp = web 203.0.113.9:53 [udp]', 'h:web1:53:udp:5353 = web 203.0.113.9:5353 [udp]'],
  ],
  [
    'a further binding of a given ID',
    { ports: { '53/udp': ['53', '5353'] }, env: { SERVICE_ID: 'mine' } },
    {},
    ['mine = web 203.0.113.9:53 [udp]', 'mine:5353 = web 203.0.113.9:5353 [udp]'],
  ],
  [
    'one host port of two addresses',
    { ports: { '80/tcp': ['127.0.0.3:8080', '10.0.0.2:8080'] } },
    {},
    ['h:web1:80 = web 10.0.0.2:8080', 'h:web1:80:8080 = web 127.0.0.3:8080'],
  ],
  ['the same with -ip: one', { ports: { '80/tcp': ['127.0.0.3:8080', '10.0.0.2:8080'] } }, IP, ['h:web1:80 = web 203.0.113.7:8080']],
  ['an address of the binding', { ports: { '80/tcp': ['10.0.0.2:8080'] } }, {}, ['h:web1:80 = web 10.0.0.2:8080']],
  ['an IPv6 address of the binding', { ports: { '80/tcp': ['[2001:db8::2]:8080'] } }, {}, ['h:web1:80 = web 2001:db8::2:8080']],
  [
    'a user-defined network: the address of the host with its port',
    { networkMode: 'net', networks: { net: '172.20.0.2' } },
    {},
    ['h:web1:80 = web 203.0.113.9:8080'],
  ],

  [
    '-internal',
    { ports: { '80/tcp': ['8080'], '81/tcp': [] } },
    INTERNAL,
    ['h:web1:80 = web-80 172.17.0.2:80', 'h:web1:81 = web-81 172.17.0.2:81'],
  ],
  ['-internal, -ip is not used', {}, { ...INTERNAL, ...IP }, ['h:web1:80 = web 172.17.0.2:80']],
  ['-internal, bridge comes first', { networks: { a: '172.20.0.2', bridge: '172.17.0.2' } }, INTERNAL, ['h:web1:80 = web 172.17.0.2:80']],
  ['-internal, else the first by name', { networks: { b: '172.21.0.2', a: '172.20.0.2' } }, INTERNAL, ['h:web1:80 = web 172.20.0.2:80']],
  [
    'SERVICE_NETWORK chooses another',
    { networks: { b: '172.21.0.2', bridge: '172.17.0.2' }, env: { SERVICE_NETWORK: 'b' } },
    INTERNAL,
    ['h:web1:80 = web 172.21.0.2:80'],
  ],
  ['SERVICE_NETWORK that it is not on', { env: { SERVICE_NETWORK: 'b' } }, INTERNAL, []],

  [
    'host network: what is exposed',
    { exposed: ['80/tcp', '81/tcp'], networkMode: 'host', networks: {} },
    {},
    ['h:web1:80 = web-80 203.0.113.9:80', 'h:web1:81 = web-81 203.0.113.9:81'],
  ],
  [
    'host network: and what a key names',
    { exposed: [], networkMode: 'host', networks: {}, env: { SERVICE_9000_NAME: 'x' } },
    IP,
    ['h:web1:9000 = x 203.0.113.7:9000'],
  ],
  [
    'host network: a key names a port of another protocol',
    { exposed: ['53/udp'], networkMode: 'host', networks: {}, env: { SERVICE_53_NAME: 'dns' } },
    IP,
    ['h:web1:53:udp = dns 203.0.113.7:53 [udp]'],
  ],
  ['a name makes no port elsewhere', { env: { SERVICE_9000_NAME: 'x' } }, {}, ['h:web1:80 = web 203.0.113.9:8080']],
  [
    'macvlan: nothing is published, so container address and port',
    { exposed: ['80/tcp'], networkMode: 'lan', networks: { lan: '10.0.0.40' } },
    IP,
    ['h:web1:80 = web 10.0.0.40:80'],
  ],
  ['no network', { exposed: ['80/tcp'], networkMode: 'none', networks: { none: '' } }, {}, []],

  [
    '-useIpFromLabel, the mask is cut off',
    { labels: { ip: '10.1.2.3/24' } },
    { addressLabel: 'ip', ...IP },
    ['h:web1:80 = web 10.1.2.3:8080'],
  ],
  ['-useIpFromLabel with -internal', { labels: { ip: '10.1.2.3' } }, { addressLabel: 'ip', ...INTERNAL }, ['h:web1:80 = web 10.1.2.3:80']],
  ['-useIpFromLabel with a name that every object has', {}, { addressLabel: 'toString', ...IP }, ['h:web1:80 = web 203.0.113.7:8080']],
  ['-useIpFromLabel without the label', {}, { addressLabel: 'ip', ...IP }, ['h:web1:80 = web 203.0.113.7:8080']],
  ['-useIpFromLabel with nonsense', { labels: { ip: 'no address' } }, { addressLabel: 'ip', ...IP }, ['h:web1:80 = web 203.0.113.7:8080']],
])('%s', (_, container, policy, services) => {
  expect(describe(container, policy)).toEqual(services);
});

test('the network of another container: its address, whatever else is said', () => {
  const networkOwner = aContainer({ networks: { net: '172.20.0.9' }, networkMode: 'net' });

  expect(describe({ exposed: ['8080/tcp'], networkMode: `container:${networkOwner.id}`, networks: {} }, IP, { networkOwner })).toEqual([
    'h:web1:8080 = web 172.20.0.9:8080',
  ]);
});

test('the network of a container on the network of the host', () => {
  const networkOwner = aContainer({ networkMode: 'host', networks: {}, exposed: [] });

  expect(describe({ exposed: ['8080/tcp'], networkMode: `container:${networkOwner.id}`, networks: {} }, IP, { networkOwner })).toEqual([
    'h:web1:8080 = web 203.0.113.7:8080',
  ]);
});

test.each<[string, InspectedContainer, Partial<Surroundings>, string]>([
  ['its first tag by name', { labels: { 'com.docker.compose.service': 'cart' } }, { imageName: 'anon' }, 'anon'],
  ['else the Compose service', { labels: { 'com.docker.compose.service': 'cart' } }, {}, 'cart'],
  ['else the container', {}, {}, 'web1'],
])('the name of a bare image ID: %s', (_, given, near, name) => {
  const hex = 'ab'.repeat(32);
  for (const image of [`sha256:${hex}`, hex, hex.slice(0, 12)]) {
    expect(describe({ ...given, image, imageId: `sha256:${hex}` }, {}, near)).toEqual([`h:web1:80 = ${name} 203.0.113.9:8080`]);
  }
});

test('an image that is only called like an ID has a name', () => {
  expect(describe({ image: 'deadbeef', imageId: `sha256:${'0'.repeat(64)}` })).toEqual(['h:web1:80 = deadbeef 203.0.113.9:8080']);
});

function only(given: InspectedContainer, policy: Partial<DescribePolicy> = {}) {
  const { services, problems, why } = describeContainer(aContainer(given), { ...POLICY, ...policy }, NEAR);
  return { registration: services[0]?.registration, problems, why };
}

test.each([
  ['SERVICE_ENABLE_TAG_OVERRIDE', { SERVICE_ENABLE_TAG_OVERRIDE: '1' }, true],
  ['of the port', { SERVICE_80_ENABLE_TAG_OVERRIDE: 'x' }, true],
  ['of another port', { SERVICE_81_ENABLE_TAG_OVERRIDE: 'x' }, false],
  ['empty', { SERVICE_ENABLE_TAG_OVERRIDE: '' }, false],
  ['not said', {}, false],
])('whether others may change the tags: %s', (_, env, isFree) => {
  expect(only({ env }).registration?.tagsAreFree).toBe(isFree);
});

test.each([
  ['an edge service without a weight', 'haproxy', 100],
  ['its weight', 'haproxy,weight=7', 7],
  ['haproxy_weight beats weight', 'haproxy,weight=7,haproxy_weight=8', 8],
  ['too much', 'haproxy_route=/a,weight=300', 256],
  ['nothing: Consul wants at least 1', 'webapp,weight=0', 1],
  ['nonsense', 'haproxy_tcp=90,weight=x', 100],
  ['a service that is not for the edge', 'weight=7', 1],
])('weight in DNS: %s', (_, tags, passing) => {
  expect(only({ env: { SERVICE_TAGS: tags } }).registration?.weights).toEqual({ passing, warning: 1 });
});

test.each<[string, InspectedContainer, string]>([
  ['the image', {}, 'team/web:1'],
  ['the Compose service', { labels: { 'com.docker.compose.service': 'cart', 'com.docker.compose.project': 'shop' } }, 'shop/cart'],
  ["Marathon's app", { env: { MARATHON_APP_ID: '/web/canary' }, labels: { 'com.docker.compose.service': 'cart' } }, '/web/canary'],
  ['SERVICE_VARIANT', { env: { SERVICE_VARIANT: 'blue', MARATHON_APP_ID: '/web' } }, 'blue'],
])('the variant is %s', (_, given, variant) => {
  expect(only(given).registration?.meta).toMatchObject({
    'toots-owner': 'engine-1',
    'toots-container': 'c'.repeat(64),
    'toots-variant': variant,
  });
});

test.each([
  ['starting', 'critical'],
  ['unhealthy', 'critical'],
  ['healthy', 'passing'],
] as const)('a container that is %s for Docker has a check that is %s', (health, status) => {
  expect(only({ health }).registration?.checks).toEqual([
    { id: 'toots:docker:h:web1:80', name: 'Docker health', probe: { kind: 'reported' }, status },
  ]);
});

test('SERVICE_CHECK_DOCKER=false goes without', () => {
  expect(only({ health: 'unhealthy', env: { SERVICE_CHECK_DOCKER: 'false' } }).registration?.checks).toEqual([]);
});

test.each<[string, InspectedContainer, Partial<DescribePolicy>, object]>([
  ['a port of 127.0.0.1 alone', { ports: { '80/tcp': ['127.0.0.1:8080'] } }, {}, { option: 'publish', value: '127.0.0.1:8080' }],
  ['a network that it is not on', { env: { SERVICE_NETWORK: 'b' } }, INTERNAL, { option: 'SERVICE_NETWORK', value: 'b' }],
  ['a template that fails', {}, { extraTags: parseTagTemplate('{{.Nope}}') }, { option: '-tags' }],
  ['a label that is no address', { labels: { ip: 'x y' } }, { addressLabel: 'ip' }, { option: 'ip', value: 'x y' }],
  ['an attribute that Consul refuses', { labels: { 'SERVICE_a.b': '1' } }, {}, { option: 'SERVICE_A.B', value: '1' }],
  ['a check that is none', { env: { SERVICE_CHECK_TTL: 'soon' } }, {}, { option: 'SERVICE_CHECK_TTL', value: 'soon' }],
])('a problem: %s', (_, given, policy, problem) => {
  expect(only(given, policy).problems).toEqual([{ subject: 'web1', reason: expect.stringMatching(/.{20}/), ...problem }]);
});

test('a problem of every port is one problem', () => {
  expect(only({ ports: TWO, labels: { 'SERVICE_a.b': '1' } }).problems).toHaveLength(1);
});

test.each<[string, InspectedContainer, Partial<DescribePolicy>, RegExp]>([
  ['no port', { ports: {} }, {}, /publishes no port/],
  ['no port, -internal', { ports: {} }, INTERNAL, /exposes no port/],
  ['ignored', { env: { SERVICE_IGNORE: '1' } }, {}, /SERVICE_IGNORE/],
  ['no name', {}, { isExplicit: true }, /-explicit/],
  ['no address', { exposed: ['80/tcp'], networkMode: 'none', networks: {} }, {}, /no network/],
])('why nothing is registered: %s', (_, given, policy, why) => {
  expect(only(given, policy)).toMatchObject({ registration: undefined, why: expect.stringMatching(why) });
});

test.each<[string, readonly string[], Partial<DescribePolicy>, object]>([
  [
    'published for both families: the other address, and the one for other datacenters',
    ['0.0.0.0:8080', '[::]:8080'],
    {},
    ['lan_ipv6', 'wan'],
  ],
  ['for one family', ['0.0.0.0:8080'], {}, ['wan']],
  ['on one address', ['203.0.113.9:8080'], {}, []],
  ['with -ip', ['0.0.0.0:8080', '[::]:8080'], { hostAddress: '203.0.113.9' }, []],
  ['with -internal', ['0.0.0.0:8080', '[::]:8080'], { isInternal: true }, []],
])('tagged addresses: %s', (_, bindings, policy, tags) => {
  const otherAddresses = { lan_ipv6: '2001:db8::9', wan: '198.51.100.9' };

  const { services } = describeContainer(
    aContainer({ ports: { '80/tcp': bindings } }),
    { ...POLICY, ...policy },
    { ...NEAR, otherAddresses },
  );

  expect(services.map(({ registration }) => Object.keys(registration.taggedAddresses))).toEqual([tags]);
  for (const { registration } of services) for (const { port } of Object.values(registration.taggedAddresses)) expect(port).toBe(8080);
});

test('checks of every name are its own; -check-deregister-after holds where no key says otherwise', () => {
  const policy = { ...POLICY, checkDeregisterAfter: '1h' };
  const checksOf = (env: Record<string, string>) =>
    describeContainer(aContainer({ env }), policy, NEAR).services.flatMap(({ registration }) =>
      registration.checks.map(({ id, deregisterAfter }) => `${id} ${deregisterAfter}`),
    );

  expect(checksOf({ SERVICE_NAME: 'a,b', SERVICE_CHECK_TCP: '1' })).toEqual(['service:h:web1:80 1h', 'service:h:web1:80:b 1h']);
  expect(checksOf({ SERVICE_CHECK_TCP: '1', SERVICE_CHECK_DEREGISTER_AFTER: '5m' })).toEqual(['service:h:web1:80 5m']);
});

test.each<[string, Record<string, string>, string[], string]>([
  ['an ID that cannot be taken back', { SERVICE_ID: 'http://x' }, ['h:web1:80 = web'], 'SERVICE_ID'],
  ['a name with a line break', { SERVICE_NAME: 'a,b\nc' }, ['h:web1:80 = a'], 'SERVICE_NAME'],
  ['a further name that makes no ID', { SERVICE_NAME: 'a,b//c,d' }, ['h:web1:80 = a', 'h:web1:80:d = d'], 'SERVICE_NAME'],
  ['a port that is none', { SERVICE_99999_NAME: 'a', 'SERVICE_-1_NAME': 'b' }, ['h:web1:80 = web'], 'SERVICE_99999_NAME'],
])('%s is a problem of its own', (_, env, services, option) => {
  const described = describeContainer(aContainer({ env }), POLICY, NEAR);

  expect(described.services.map(({ registration: { id, name } }) => `${id} = ${name}`)).toEqual(services);
  expect(described.problems).toContainEqual(expect.objectContaining({ subject: 'web1', option }));
});

test('on the host’s network, a port that is none is not registered', () => {
  const given = {
    env: { SERVICE_0_NAME: 'a', SERVICE_70000_NAME: 'b', SERVICE_9000_NAME: 'c' },
    exposed: [],
    networkMode: 'host',
    networks: {},
  };

  expect(describe(given)).toEqual(['h:web1:9000 = c 203.0.113.9:9000']);
});
