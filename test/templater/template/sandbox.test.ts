import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { tempDir } from '../../harness/temp-dir.ts';
import { rendered } from './rendered.ts';

test.each([
  '{{ "".constructor }}',
  '{{ [].constructor }}',
  '{{ {}.constructor }}',
  '{{ range.constructor }}',
  '{{ range["constructor"] }}',
  '{{ ({}).__proto__ }}',
  '{{ constructor }}',
  '{{ __proto__ }}',
  '{{ "x".toString.constructor }}',
  '{% macro m() %}{% endmacro %}{{ m.call }}',
])('%s is nothing', (template) => {
  expect(rendered(template)).toBe('');
});

test('no way leads out to the process', () => {
  expect(() => rendered('{{ range.constructor("return process")().pid }}')).toThrow('Unable to call');
  expect(() => rendered('{{ "".sub.constructor("return 1")() }}')).toThrow('Unable to call');
});

test('what templates are used to still works', () => {
  const template =
    '{% set list = [3] %}{{ "" if list.push(1) }}{{ list | sort | join }}{{ "a-b".split("-")[1] }}{{ "abc".slice(1, 2) }}{{ (1.255).toFixed(1) }}{{ r/b+/.test("abb") }}';

  expect(rendered(template)).toBe('13bb1.3true');
});

test('a map walks in the byte order of its keys, numbers too', () => {
  expect(rendered('{% for k, v in { "b": 1, "10": 2, "9": 3, "a": 4 } %}{{ k }}{% endfor %}')).toBe('109ab');
});

test('an endless rendering and a regular expression that runs away are stopped', () => {
  const endless =
    '{% macro again() %}{{ again() }}{% for n in range(1000000) %}{% for m in range(1000000) %}{{ n }}{% endfor %}{% endfor %}{% endmacro %}';

  expect(() =>
    rendered(`${endless}{% for n in range(1000000) %}{% for m in range(1000000) %}{% endfor %}{% endfor %}`, undefined, { limitMs: 100 }),
  ).toThrow('took longer than 100 ms');
  const hostile = `"${'a'.repeat(40)}b"`;
  expect(() => rendered(`{{ r/^(a+)+$/.test(${hostile}) }}`, undefined, { limitMs: 100 })).toThrow('took longer than 100 ms');
  expect(rendered(`{{ ${hostile} | regexMatch("^(a+)+$") }}`)).toBe('false');
});

test('includes stay below the template’s folder, links too', async () => {
  await using folder = await tempDir();
  await mkdir(join(folder.path, 'in'));
  await writeFile(join(folder.path, 'secret'), 'secret');
  await writeFile(join(folder.path, 'in/part'), 'part {{ 1 + 1 }}');
  await symlink(join(folder.path, 'secret'), join(folder.path, 'in/link'));
  const here = { folder: join(folder.path, 'in') };

  expect(rendered('{% include "part" %}', undefined, {}, here)).toBe('part 2');
  expect(() => rendered('{% include "../secret" %}', undefined, {}, here)).toThrow('outside of');
  expect(() => rendered('{% include "link" %}', undefined, {}, here)).toThrow('outside of');
  expect(() => rendered('{% include "part" %}')).toThrow('may include nothing');
});

test('a file has to lie in the sandbox, links too, and a template without a folder reads none', async () => {
  await using folder = await tempDir();
  await mkdir(join(folder.path, 'in'));
  await writeFile(join(folder.path, 'secret'), 'secret');
  await symlink(join(folder.path, 'secret'), join(folder.path, 'in/link'));
  const around = { folder: folder.path, sandboxPath: join(folder.path, 'in') };

  expect(() => rendered('{{ file("secret") }}', undefined, around)).toThrow('outside of sandbox');
  expect(() => rendered('{{ file("in/link") }}', undefined, around)).toThrow('outside of sandbox');
  expect(() => rendered('{{ file("/etc/passwd") }}', undefined, around)).toThrow('outside of sandbox');
  expect(() => rendered('{{ file("/etc/passwd") }}')).toThrow('reads no file');
});

test('options of Nunjucks are its defaults, and can be set', () => {
  const template = '{% if true %}\n  {% if true %}\na\n{% endif %}\n{% endif %}\n';

  expect(rendered(template)).toBe('\n  \na\n\n\n');
  expect(rendered(template, undefined, {}, { trimBlocks: true, lstripBlocks: true })).toBe('a\n');
  expect(rendered('[{{ nothing }}]')).toBe('[]');
  expect(() => rendered('{{ nothing }}', undefined, {}, { errorOnMissingKey: true })).toThrow('undefined');
});
