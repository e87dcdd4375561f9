import { expect, test } from '@jest/globals';
import { readRegistratorSettings } from '../../registrator/settings.ts';

const read = (line: string, env: Record<string, string> = {}) =>
  readRegistratorSettings(
    line.split(' ').filter((word) => word !== ''),
    env,
  );
const settings = (line: string, env: Record<string, string> = {}) => {
  const parsed = read(line, env);
  if (parsed.kind !== 'settings') throw new Error(JSON.stringify(parsed));
  return parsed.settings;
};

test("gliderlabs registrator's command line", () => {
  const line =
    '-ip 10.0.0.5 -internal -explicit -useIpFromLabel net.ip -tags a,b -ttl 30 -ttl-refresh 10 -resync 90 -deregister on-success -retry-attempts -1 -retry-interval 100 -cleanup consul://10.0.0.1:8500';

  expect(settings(line)).toMatchObject({
    ip: '10.0.0.5',
    internal: true,
    explicit: true,
    addressLabel: 'net.ip',
    resync: 90,
    deregister: 'on-success',
    consul: { kind: 'tcp', tls: false, host: '10.0.0.1', port: 8500 },
  });
});

test.each([
  ['', { kind: 'tcp', host: '127.0.0.1', port: 8500 }],
  ['consul://[::1]:8500', { host: '::1' }],
  ['consul-tls://c.test:8501', { tls: true, host: 'c.test', port: 8501 }],
  ['consul-unix:///run/consul.sock', { kind: 'unix', path: '/run/consul.sock' }],
  ['-consul http://10.0.0.2:85', { host: '10.0.0.2', port: 85 }],
])('registry %j', (line, consul) => {
  expect(settings(line).consul).toMatchObject(consul);
});

test('the environment of Docker and Consul; what is given beats it', () => {
  const env = { DOCKER_HOST: 'tcp://d:2375', CONSUL_HTTP_ADDR: 'c:1', CONSUL_HTTP_TOKEN: 't' };

  expect(settings('', env)).toMatchObject({ docker: 'tcp://d:2375', consul: { host: 'c', port: 1 }, token: 't' });
  expect(settings('--docker unix:///d.sock consul://e:2', env)).toMatchObject({ docker: 'unix:///d.sock', consul: { host: 'e', port: 2 } });
});

test.each([
  ['-resync 0', { resync: 60 }],
  ['-resync=5', { resync: 5 }],
  [
    '-filter label=a -filter network=b',
    {
      filters: [
        { kind: 'label', key: 'a' },
        { kind: 'network', name: 'b' },
      ],
    },
  ],
  ['-merge-tags', { mergeTags: true }],
  ['--adopt', { adopt: 'all' }],
  ['--adopt=list', { adopt: 'list' }],
  ['--adopt=false', { adopt: undefined }],
  [
    '',
    {
      resync: 60,
      adopt: undefined,
      register: 'started',
      nameFrom: 'image',
      shutdown: 'keep',
      deregister: 'always',
      api: { address: '127.0.0.1', port: 9181 },
    },
  ],
])('%j', (line, expected) => {
  expect(settings(line)).toMatchObject(expected);
});

test('a cron expression', () => {
  const parsed = readRegistratorSettings(['-resync', '*/30 * * * * *'], {});

  expect(parsed).toMatchObject({ kind: 'settings', settings: { resync: '*/30 * * * * *' } });
});

test.each([
  ['-ttl 10', /-ttl and -ttl-refresh/],
  ['-ttl 10 -ttl-refresh 10', /must be greater/],
  ['-ip 1.2.3.4.5/8', /-ip: must be an IP address/],
  ['-ip 999.1.1.1', /-ip: must be an IP address/],
  ['-deregister never', /always, on-success/],
  ['-retry-interval 0', /-retry-interval/],
  ['-tags {{.A', /-tags: must be tags, or Go templates/],
  ['-resync soon', /cron expression/],
  ['-resync 99999999999999999999', /at most 31536000/],
  ['-check-deregister-after 9999999h', /at most 100 years/],
  ['-ip -internal', /-ip: must be an IP address/],
  ['--docker ssh://x', /--?docker: must be unix/],
  ['-filter name=x', /-filter: must be label=KEY/],
  ['-check-deregister-after soon', /-check-deregister-after: must be a duration/],
  ['--adopt=some', /all, list, take, remove/],
  ['etcd://x:1', /the registry must be consul:\/\//],
  ['consulkv://x:1/p', /the registry must be consul:\/\//],
  ['consul://a:1 consul://b:1', /unexpected argument/],
  ['--docker tcp://x:1 --docker-tls-verify', /-docker-cert-path/],
])('%j is refused', (line, problem) => {
  expect(read(line)).toEqual({ kind: 'wrong', problems: [expect.stringMatching(problem)] });
});

test('all problems are told at once', () => {
  expect(read('-nope -ip x_y/z -ttl 5')).toMatchObject({ kind: 'wrong' });
  expect(read('-nope -ip a/b')).toEqual({ kind: 'wrong', problems: [expect.stringContaining('-nope'), expect.stringContaining('-ip')] });
});
