import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { parse } from 'yaml';
import { configFlags } from '../../../templater/template/config-flags.ts';
import { configSchema } from '../../../templater/template/config-schema.ts';
import { importConfiguration, importedText } from '../../../templater/template/import/import-config.ts';
import { importPaths } from '../../../templater/template/import/run-import.ts';
import { tempDir } from '../../harness/temp-dir.ts';

const HCL = `
# an existing configuration
consul {
  address = "10.0.0.1:8500"
  auth { enabled = true username = "u" password = "p" }
  ssl { enabled = true ca_cert = "/ca.pem" }
  retry { attempts = 12 }
}
log_level = "WARN" // loud
wait { min = "5s" max = "10s" }
vault { address = "x" }
template {
  source = "/t/haproxy.ctmpl"
  destination = "/etc/haproxy.cfg"
  command = "service haproxy reload || \\"true\\""
  perms = 0600
  wait { min = "2s" }
  left_delimiter = "[["
}
template {
  contents = <<-EOF
    a {{ key "x" }}
      b
    EOF
  destination = "/etc/x"
  command = ["sv", "reload"]
}
exec { command = ["/bin/app", "-v"] reload_signal = "SIGHUP" }
`;

test('a configuration of consul-template becomes ours, and what is left to do is listed', () => {
  const { config, byHand } = importConfiguration(HCL);

  expect(config).toEqual({
    consul: { address: '10.0.0.1:8500', auth: 'u:p', ssl: { enabled: true, ca_cert: '/ca.pem' } },
    log_level: 'warn',
    wait: { min: '5s', max: '10s' },
    templates: [
      {
        source: '/t/haproxy.ctmpl',
        destination: '/etc/haproxy.cfg',
        command: 'service haproxy reload || "true"',
        perms: '0600',
        wait: { min: '2s' },
      },
      { contents: 'a {{ key "x" }}\n  b\n', destination: '/etc/x', command: ['sv', 'reload'] },
    ],
    exec: { command: ['/bin/app', '-v'], reload_signal: 'SIGHUP' },
  });
  expect(byHand).toEqual([
    expect.stringContaining('line 18: template.left_delimiter: Nunjucks'),
    expect.stringContaining('line 11: vault: Vault is not supported'),
    '/t/haproxy.ctmpl: write it in Nunjucks; Go templates are not translated',
    'contents of /etc/x: write them in Nunjucks',
  ]);
});

test('what is printed is a configuration that we read', () => {
  const text = importedText(importConfiguration(HCL));

  expect(text).toContain('# - line 11: vault');
  expect(v.is(configSchema, parse(text))).toBe(true);
});

test('JSON is read too, and a list of templates', () => {
  const { config } = importConfiguration(
    '{"consul": {"address": "x:1"}, "template": [{"source": "a", "destination": "b"}, {"source": "c", "destination": "d"}]}',
  );

  expect(config).toEqual({
    consul: { address: 'x:1' },
    templates: [
      { source: 'a', destination: 'b' },
      { source: 'c', destination: 'd' },
    ],
  });
});

test.each([
  ['template {', 'line 1: expected a name, not the end'],
  ['a =\n  }', 'line 2: expected a value, not }'],
  ['a = "x"\nb = $', 'line 2: unexpected "$"'],
])('%j is refused with its line', (text, message) => {
  expect(() => importConfiguration(text)).toThrow(message);
});

test('exec blocks are taken over, their environment too', () => {
  const { config, byHand } = importConfiguration(`
    exec { command = ["app", "-c", "my conf"] env { pristine = true custom = ["A=b"] } }
    template { contents = "x" destination = "/x" exec { command = "echo" timeout = "5s" env { denylist = ["AWS_*"] } } }
  `);

  expect(byHand).toEqual([]);
  expect(config).toEqual({
    exec: { command: ['app', '-c', 'my conf'], env: { pristine: true, custom: ['A=b'] } },
    templates: [{ contents: 'x', destination: '/x', exec: { command: 'echo', timeout: '5s', env: { denylist: ['AWS_*'] } } }],
  });
  expect(configFlags(v.parse(configSchema, config))).toEqual(["-exec=app -c 'my conf'", '-exec-env-pristine=true', '-exec-env-custom=A=b']);
});

test('what a block says of being enabled is followed, and is none of its fields', () => {
  const { config, byHand } = importConfiguration(`
    wait { enabled = false min = "5s" max = "10s" }
    exec { enabled = true command = "app" timeout = "3s" env { whitelist = ["A"] blacklist = ["B"] } }
    template { contents = "x" destination = "/x" wait { enabled = true min = "1s" } exec { enabled = true command = "echo" } }
    template { contents = "y" destination = "/y" wait { enabled = false min = "1s" } exec { enabled = false command = "echo" } }
  `);

  expect(config).toEqual({
    exec: { command: 'app', env: { allowlist: ['A'], denylist: ['B'] } },
    templates: [
      { contents: 'x', destination: '/x', wait: { min: '1s' }, exec: { command: 'echo' } },
      { contents: 'y', destination: '/y' },
    ],
  });
  expect(byHand).toEqual(['line 3: exec.timeout: the supervised program may run for as long as it likes']);
  expect(v.is(configSchema, config)).toBe(true);
  expect(importConfiguration('exec { enabled = false command = "app" }').config).toEqual({});
});

test('permissions are octal with a nought in front, and decimal without, as HCL and JSON have them', () => {
  const permsOf = (text: string) => (importConfiguration(text).config['templates'] as readonly { perms: string }[])[0]?.perms;

  expect(permsOf('template { source = "a" perms = 0600 }')).toBe('0600');
  expect(permsOf('template { source = "a" perms = "0640" }')).toBe('0640');
  expect(permsOf('template { source = "a" perms = 420 }')).toBe('0644');
  expect(permsOf('{"template": {"source": "a", "perms": 384}}')).toBe('0600');
});

test('a template with a label is one like any other', () => {
  const { config, byHand } = importConfiguration('template "web" { contents = "x" destination = "/x" }');

  expect(config).toEqual({ templates: [{ contents: 'x', destination: '/x' }] });
  expect(byHand).toEqual([]);
});

test('several files and folders become one configuration, in the order of their names; what comes last counts', async () => {
  await using folder = await tempDir();
  await writeFile(join(folder.path, 'b.hcl'), 'consul { token = "t" } log_level = "info" template { contents = "b" destination = "/b" }');
  await writeFile(
    join(folder.path, 'a.json'),
    '{"consul": {"address": "x:1"}, "log_level": "warn", "vault": {}, "template": {"contents": "a", "destination": "/a"}}',
  );
  const { config, byHand } = importPaths([folder.path]);

  expect(config).toEqual({
    consul: { address: 'x:1', token: 't' },
    log_level: 'info',
    templates: [
      { contents: 'a', destination: '/a' },
      { contents: 'b', destination: '/b' },
    ],
  });
  expect(byHand).toEqual([expect.stringContaining(`${join(folder.path, 'a.json')}: line 1: vault`)]);
  await writeFile(join(folder.path, 'c.hcl'), 'template {');
  expect(() => importPaths([folder.path])).toThrow(`${join(folder.path, 'c.hcl')}: line 1: expected a name, not the end`);
  expect(() => importPaths(['/nosuch'])).toThrow('/nosuch');
});
