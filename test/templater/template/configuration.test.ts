import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { consulSettings } from '../../../consul/settings.ts';
import { logLevel, readSettings } from '../../../daemon/settings.ts';
import { configPaths, readConfiguration } from '../../../templater/template/config-file.ts';
import { CONFIG_FIELDS, TEMPLATE_FIELDS } from '../../../templater/template/config-schema.ts';
import { templateSettings } from '../../../templater/template/settings.ts';
import { TEMPLATE_DEFAULTS, type TemplateConfig } from '../../../templater/template/template-config.ts';
import { tempDir } from '../../harness/temp-dir.ts';

let folder: Awaited<ReturnType<typeof tempDir>>;
beforeEach(async () => {
  folder = await tempDir();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

async function read(config: object, name = 'c.json') {
  const path = join(folder.path, name);
  await writeFile(path, JSON.stringify(config));
  return readConfiguration([path], '/base');
}

const FILE = { source: 't.njk', destination: 'out' };
const COMMAND = { command: 'x', timeoutMs: 30_000, kind: 'command', isForLeader: false } as const;

/** Keys of a template, and what differs by them from one that has a source and a destination alone. */
const TEMPLATE_ROWS: readonly (readonly [keys: Record<string, unknown>, differs: Partial<TemplateConfig>])[] = [
  [FILE, {}],
  [
    { ...FILE, source: '/etc/t.njk', destination: '/out' },
    { source: { kind: 'file', path: '/etc/t.njk' }, destination: '/out' },
  ],
  [{ contents: 'x', destination: 'out' }, { source: { kind: 'contents', text: 'x', folder: '/base' } }],
  [{ key: '/a/b', destination: 'out' }, { source: { kind: 'key', path: 'a/b' } }],
  [{ ...FILE, create_dest_dirs: false }, { createDestDirs: false }],
  [{ ...FILE, perms: '0640' }, { perms: 0o640 }],
  [{ ...FILE, perms: 640 }, { perms: 0o640 }],
  [
    { ...FILE, user: 'root', group: 0 },
    { user: 'root', group: '0' },
  ],
  [{ ...FILE, backup: true }, { backups: 1 }],
  [{ ...FILE, backup: 3 }, { backups: 3 }],
  [{ ...FILE, in_place: true }, { inPlace: true }],
  [{ ...FILE, check: 'haproxy -c -f {file}' }, { check: { command: 'haproxy -c -f {file}', timeoutMs: 30_000 } }],
  [{ ...FILE, check: ['a', 'b'], check_timeout: '5s' }, { check: { command: ['a', 'b'], timeoutMs: 5_000 } }],
  [{ ...FILE, command: 'x' }, { action: COMMAND }],
  [{ ...FILE, command: 'x', command_timeout: '1m30s', leader: true }, { action: { ...COMMAND, timeoutMs: 90_000, isForLeader: true } }],
  [
    { ...FILE, exec: { command: ['x', 'y'], timeout: '2s', splay: '1s', env: { pristine: true, custom: ['A=b'] } } },
    {
      action: {
        ...{ ...COMMAND, command: ['x', 'y'], timeoutMs: 2_000 },
        envRules: { pristine: true, custom: ['A=b'], allowlist: [], denylist: [] },
      },
    },
  ],
  [{ ...FILE, signal: 'SIGHUP', pid_file: '/run/x.pid' }, { action: { kind: 'signal', signal: 'SIGHUP', pidFile: '/run/x.pid' } }],
  [{ ...FILE, wait: '2s' }, { wait: { minMs: 2_000, maxMs: 8_000 } }],
  [{ ...FILE, wait: { min: '2s', max: '10s' } }, { wait: { minMs: 2_000, maxMs: 10_000 } }],
  [{ ...FILE, error_on_missing_key: true }, { errorOnMissingKey: true }],
  [
    { ...FILE, trim_blocks: true, lstrip_blocks: true },
    { trimBlocks: true, lstripBlocks: true },
  ],
  [{ ...FILE, sandbox_path: 'files' }, { sandboxPath: '/base/files' }],
];

describe('a template', () => {
  test.each(TEMPLATE_ROWS)('%j', async (keys, differs) => {
    const { templates, problems } = await read({ templates: [keys] });

    expect(problems).toEqual([]);
    const plain = { ...TEMPLATE_DEFAULTS, source: { kind: 'file', path: '/base/t.njk' }, destination: '/base/out' };
    expect(templates).toEqual([{ ...plain, destinationAsGiven: keys['destination'], ...differs }]);
  });

  test('every key has its row', () => {
    expect(new Set(TEMPLATE_ROWS.flatMap(([keys]) => Object.keys(keys)))).toEqual(new Set(Object.keys(TEMPLATE_FIELDS)));
  });

  test.each([
    [{ source: 'a' }, 'needs a destination'],
    [{ destination: 'a' }, 'exactly one of source, contents and key'],
    [{ ...FILE, contents: 'x' }, 'exactly one of source, contents and key'],
    [{ ...FILE, command: 'x', exec: { command: 'y' } }, 'has a command and an exec.command'],
    [{ ...FILE, command: 'x', signal: 'SIGHUP', pid_file: 'p' }, 'both a command and a signal'],
    [{ ...FILE, signal: 'SIGHUP' }, 'signal and pid_file belong together'],
    [{ ...FILE, leader: true }, 'leader: true needs a command'],
    [{ ...FILE, backup: -1 }, 'must be true, false or a number of versions'],
    [{ ...FILE, perms: '0999' }, 'must be permissions'],
    [{ ...FILE, signal: 'SIGNOSUCH', pid_file: 'p' }, 'must be a signal'],
    [{ ...FILE, command_timeout: 'soon' }, 'must be a duration'],
    [{ ...FILE, command: [] }, 'must be a command'],
    [{ ...FILE, wait: '10s:2s' }, 'must be MIN'],
    [{ ...FILE, exec: { command: 'x', env: { custom: ['A'] } } }, 'must be NAME=VALUE'],
  ])('%j is refused', async (keys, words) => {
    const { problems } = await read({ templates: [keys] });

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/c\.json: templates\[1\]/);
    expect(problems[0]).toContain(words);
  });
});

/** Keys besides the templates, and the settings that they come to. */
const OTHER_ROWS: readonly (readonly [keys: Record<string, unknown>, settings: Record<string, unknown>])[] = [
  [{ consul: { address: 'c:8501', token: 't', token_file: '/t', auth: 'u:p' } }, { token: 't', tokenFile: '/t', auth: 'u:p' }],
  [{ consul: { ssl: { enabled: true, verify: false, cert: '/c', key: '/k', ca_cert: '/a', server_name: 'n' } } }, { verify: false }],
  [
    { exec: { command: 'app -x', kill_signal: 'SIGTERM', kill_timeout: '5s', reload_signal: 'SIGHUP', splay: '2s' } },
    { exec: 'app -x', execKillSignal: 'SIGTERM', execKillTimeoutMs: 5_000, execReloadSignal: 'SIGHUP', execSplayMs: 2_000 },
  ],
  [{ exec: { command: ['app', 'a b'] } }, { exec: "app 'a b'" }],
  [
    { exec: { command: 'app', env: { pristine: true, custom: ['A=1', 'B=2'], allowlist: ['C*'], denylist: ['D'] } } },
    { execEnvPristine: true, execEnvCustom: ['A=1', 'B=2'], execEnvAllowlist: ['C*'], execEnvDenylist: ['D'] },
  ],
  [{ wait: '2s:10s' }, { wait: { minMs: 2_000, maxMs: 10_000 } }],
  [{ log_level: 'err' }, { logLevel: 'error' }],
  [
    { kill_signal: 'SIGUSR1', reload_signal: 'SIGUSR2', pid_file: '/p' },
    { killSignal: 'SIGUSR1', reloadSignal: 'SIGUSR2', pidFile: '/p' },
  ],
  [
    { command_interval: '5s', hold: 0 },
    { commandIntervalMs: 5_000, holdMs: 0 },
  ],
  [
    { once_timeout: '3s', render_timeout: '4s' },
    { onceTimeoutMs: 3_000, renderLimitMs: 4_000 },
  ],
  [{ api: '0.0.0.0:9999' }, {}],
  [{ templates: [FILE] }, {}],
];

describe('the rest', () => {
  const options = { ...templateSettings, ...consulSettings, logLevel };
  const program = { name: 'x', usage: '', about: '', options };

  test.each(OTHER_ROWS)('%j', async (keys, settings) => {
    const { flags, problems } = await read(keys);

    expect(problems).toEqual([]);
    const known = flags.filter((flag) => !flag.startsWith('-api='));
    expect(readSettings(program, known, {})).toMatchObject({ kind: 'settings', settings });
  });

  test('every key has its row', () => {
    expect(new Set(OTHER_ROWS.flatMap(([keys]) => Object.keys(keys)))).toEqual(new Set(Object.keys(CONFIG_FIELDS)));
  });
});

test('a folder is read in the order of its names, without what is no configuration', async () => {
  const dir = join(folder.path, 'conf.d');
  await mkdir(dir);
  await writeFile(join(dir, '20.yaml'), 'hold: 2m\ntemplates:\n  - {source: b, destination: b}\n');
  await writeFile(join(dir, '10.json'), '{"hold": "1m", "templates": [{"source": "a", "destination": "a"}]}');
  await writeFile(join(dir, '30.hcl'), 'template {}');
  await writeFile(join(dir, '.40.yaml'), 'nonsense: 1');

  const { flags, templates, problems } = readConfiguration([dir], '/base');

  expect(problems).toEqual([]);
  expect(flags).toEqual(['-hold=1m', '-hold=2m']);
  expect(templates.map(({ destination }) => destination)).toEqual(['/base/a', '/base/b']);
});

test('two templates of one destination, a file that is none, and HCL are refused', async () => {
  const hcl = join(folder.path, 'c.hcl');
  await writeFile(hcl, 'template {}');

  expect((await read({ templates: [FILE, FILE] })).problems).toEqual(['/base/out: is the destination of more than one template']);
  expect(readConfiguration([join(folder.path, 'nosuch.yaml')], '/').problems[0]).toMatch(/nosuch\.yaml: .*ENOENT/);
  expect(readConfiguration([hcl], '/').problems[0]).toContain(`toots templater import ${hcl}`);
});

test('-config is found in its forms, and in the environment when it is not given', () => {
  expect(configPaths(['-config', 'a', '--config=b', '-once'], {})).toEqual(['a', 'b']);
  expect(configPaths(['-once'], { TOOTS_TEMPLATER_CONFIG: 'c' })).toEqual(['c']);
  expect(configPaths(['-config', 'a'], { TOOTS_TEMPLATER_CONFIG: 'c' })).toEqual(['a']);
});

test('an address that is refused is told without its password', () => {
  const program = { name: 'x', usage: '', about: '', options: consulSettings };
  const read = readSettings(program, ['-consul=http://user:hush@host:8500'], {});

  expect(JSON.stringify(read)).toContain('got \\"http://…@host:8500');
  expect(JSON.stringify(read)).not.toContain('hush');
});

test('what is wrong with a template as a whole is told beside keys that are wrong elsewhere', async () => {
  const { problems } = await read({ wait: 'soon', templates: [{ ...FILE, perms: '9' }, { ...FILE, contents: 'x' }, FILE] });

  expect(problems).toEqual([
    expect.stringContaining('templates[1].perms: must be permissions'),
    expect.stringContaining('wait: must be MIN'),
    expect.stringContaining('templates[2]: needs exactly one of source, contents and key'),
  ]);
});
