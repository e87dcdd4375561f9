import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from '@jest/globals';
import { execa } from 'execa';
import { composeText } from '../../deploy/cluster/compose-text.ts';
import { planNode } from '../../deploy/cluster/plan-node.ts';
import { ROLE_CHOICES, type Role } from '../../deploy/cluster/roles.ts';
import { aNode, SECRETS } from '../deploy/cluster/a-node.ts';
import { lint } from '../harness/linter.ts';
import { PROJECT_FOLDER } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';

/** The time apt may take on a slow line, milliseconds. */
const INSTALL_BUDGET_MS = 180_000;

/** What Compose's own files need not hold to. */
const YAML_RULES = '{extends: default, rules: {line-length: disable, document-start: disable}}';

const CHOICES: readonly (readonly Role[])[] = [...ROLE_CHOICES.master, ...ROLE_CHOICES.other];
const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.toots', 'coverage']);

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !NOT_OURS.has(name));
  const nested = entries.map((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]));
  return (await Promise.all(nested)).flat();
}

test(
  'shellcheck finds nothing in any shell script',
  async () => {
    const all = await filesBelow(PROJECT_FOLDER);
    const isScript = async (file: string) => /^#!\/bin\/(ba)?sh/.test((await readFile(file)).subarray(0, 20).toString());
    const scripts = (await Promise.all(all.map(async (file) => ((await isScript(file)) ? [file] : [])))).flat();

    expect(scripts.map((file) => relative(PROJECT_FOLDER, file))).toEqual(expect.arrayContaining(['toots.sh', '.ci/run']));
    expect(await lint('shellcheck', scripts)).toBe('');
    expect(await lint('shellcheck', ['-s', 'sh', '-'], 'echo $1\n')).toContain('SC2086'); // it would find something
  },
  INSTALL_BUDGET_MS,
);

test(
  'yamllint finds nothing in what Compose is given for any choice of roles, nor in the examples',
  async () => {
    await using folder = await tempDir();
    const note = ['$(id) ${HO', 'ME} "x" \'y\'\n- z: #'].join('');
    const generated = CHOICES.map((roles) => {
      const answers = { vip: '10.0.0.100', internalDns: true, slaveMode: 'persistent', nfs: '10.0.0.8:/store' } as const;
      return composeText(planNode(aNode({ roles, answers, context: { env: { NOTE: note } } })));
    });
    const files = generated.map((_, i) => join(folder.path, `${i}.yaml`));
    await Promise.all(files.map((file, i) => writeFile(file, generated[i] ?? '')));
    const examples = (await filesBelow(join(PROJECT_FOLDER, 'examples'))).filter((file) => file.endsWith('.yaml'));
    expect(examples).not.toEqual([]);
    expect(await lint('yamllint', ['-d', YAML_RULES, ...files, ...examples])).toBe('');
    expect(await lint('yamllint', ['-d', YAML_RULES, '-'], 'a: 1\na: 2\n')).toContain('duplication');
  },
  INSTALL_BUDGET_MS,
);

test('Consul takes its agent’s file of every choice of roles', async () => {
  for (const roles of CHOICES) {
    await using folder = await tempDir();
    const secrets = { ...SECRETS, gossipKey: randomBytes(32).toString('base64') };
    const { files } = planNode(aNode({ roles, context: { secrets } }));
    for (const { path, text } of files.filter(({ path: name }) => name.startsWith('consul/')))
      await writeFile(join(folder.path, path.slice('consul/'.length)), text);
    const { all, exitCode } = await execa('consul', ['validate', '-config-format=json', join(folder.path, 'agent.json')], {
      all: true,
      reject: false,
    });
    expect([all, exitCode]).toEqual([expect.stringContaining('Configuration is valid!'), 0]);
  }
}, 60_000);
