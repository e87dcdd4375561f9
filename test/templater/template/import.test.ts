import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { parse } from 'yaml';
import { configFlags } from '../../../templater/template/config-flags.ts';
import { configSchema } from '../../../templater/template/config-schema.ts';
import { importConfiguration, importedText } from '../../../templater/template/import/import-config.ts';

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
