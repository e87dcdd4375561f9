import { expect, test } from '@jest/globals';
import { consulEnvironment, type EnvRules, environmentFor, NO_ENV_RULES } from '../../../templater/template/environment.ts';
import { withoutSecrets } from '../../../templater/template/run-command.ts';

const OWN = { PATH: '/bin', AWS_KEY: 'k', AWS_REGION: 'r', HOME: '/root' };
const TOLD = { CONSUL_HTTP_ADDR: 'http://127.0.0.1:8500' };

test.each<[why: string, rules: Partial<EnvRules>, names: readonly string[]]>([
  ['everything without rules', {}, ['PATH', 'AWS_KEY', 'AWS_REGION', 'HOME', 'CONSUL_HTTP_ADDR']],
  ['pristine: only what is told', { pristine: true }, ['CONSUL_HTTP_ADDR']],
  ['pristine, and what is added', { pristine: true, custom: ['A=1'] }, ['CONSUL_HTTP_ADDR', 'A']],
  ['what is allowed', { allowlist: ['PATH', 'AWS_*'] }, ['PATH', 'AWS_KEY', 'AWS_REGION', 'CONSUL_HTTP_ADDR']],
  ['not what is denied', { denylist: ['AWS_*'] }, ['PATH', 'HOME', 'CONSUL_HTTP_ADDR']],
  ['denied beats allowed', { allowlist: ['AWS_*'], denylist: ['*_KEY'] }, ['AWS_REGION', 'CONSUL_HTTP_ADDR']],
  [
    'one letter, one of some, none of some',
    { allowlist: ['HOM?', '[OP]ATH', 'AWS_[^K]*'] },
    ['PATH', 'AWS_REGION', 'HOME', 'CONSUL_HTTP_ADDR'],
  ],
  ['a pattern that is none fits nothing', { allowlist: ['[z-a]', 'HOME'] }, ['HOME', 'CONSUL_HTTP_ADDR']],
])('%s', (_, rules, names) => {
  expect(Object.keys(environmentFor({ ...NO_ENV_RULES, ...rules }, TOLD, OWN))).toEqual(names);
});

test('what is added wins, and its value may have equals signs', () => {
  expect(environmentFor({ ...NO_ENV_RULES, custom: ['PATH=a=b', 'EMPTY='] }, {}, OWN)).toMatchObject({ PATH: 'a=b', EMPTY: '' });
});

test('commands are told of Consul what consul-template tells them', () => {
  const source = { address: 'https://c:8501', token: 't', tokenFile: '', auth: 'u:p', verify: false };

  expect(consulEnvironment(source)).toEqual({
    CONSUL_HTTP_ADDR: 'https://c:8501',
    CONSUL_HTTP_TOKEN: 't',
    CONSUL_HTTP_AUTH: 'u:p',
    CONSUL_HTTP_SSL: 'true',
    CONSUL_HTTP_SSL_VERIFY: 'false',
  });
});

test('what a failed command wrote is told without the secrets of its environment', () => {
  const env = {
    CONSUL_HTTP_TOKEN: 'tok-12',
    CONSUL_HTTP_AUTH: 'user:tok-12-more',
    DB_PASSWORD: 'hunter2',
    MY_TOKEN: 'a',
    HOME: '/root',
    UNSET_TOKEN: undefined,
  };

  expect(withoutSecrets('+ curl -u user:tok-12-more -H tok-12 /root a hunter2', env)).toBe('+ curl -u *** -H *** /root a ***');
});
