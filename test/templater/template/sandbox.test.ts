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

/** Nunjucks writes names into the JavaScript that a template becomes; each of these set `escaped` before that was closed. */
const RUN = 'Function`globalThis\\x2eescaped\\x3dtrue```';
test.each([
  `{{ x"&&${RUN}&&"y }}`,
  `{% set x"&&${RUN}&&"y = 1 %}`,
  `{% set 'a",globalThis.escaped=true,"' = 1 %}`,
  `{% for a, 'b",globalThis.escaped=true,"' in { x: 1 } %}{% endfor %}`,
  `{% macro m('b")||(globalThis.escaped=true)||("'=1) %}{% endmacro %}{{ m() }}`,
  `{{ 1 is 'odd").call(context, 1), globalThis.escaped = true, env.getTest("odd' }}`,
  String.raw`{{ range['\\", context, [globalThis.escaped = true]))//'](1) }}`,
  `{% filter x"&&${RUN}&&"y %}{% endfilter %}`,
  `{% block x"&&${RUN}&&"y %}{% endblock %}`,
  `{% from "part" import a as 'b",globalThis.escaped=true,"' %}`,
  `{% import "part" as 'b",globalThis.escaped=true,"' %}`,
])('%s runs nothing of its own', (template) => {
  try {
    expect(() => rendered(template)).toThrow('is no name');
    expect(globalThis).not.toHaveProperty('escaped');
  } finally {
    Reflect.deleteProperty(globalThis, 'escaped');
  }
});

test('names in other scripts, tests and defaults of macros are names', () => {
  const template =
    '{% set größe, b = 1 %}{% macro m(x, y="d") %}{{ x }}{{ y }}{% endmacro %}{{ größe }}{{ m(b, y=2) }}{{ 4 is divisibleby(2) }}{{ none is none }}{{ "a\\"b" }}{% for k, v in { q: 1 } %}{{ k }}{{ v }}{% endfor %}';

  expect(rendered(template)).toBe('112truetruea"bq1');
});

test.each(['__lookupGetter__', '__defineGetter__', 'constructor', 'toString'])(
  'what every object has is no filter and no test: %s',
  (name) => {
    expect(() => rendered(`{{ "__proto__" | ${name} }}`)).toThrow('filter not found');
    expect(() => rendered(`{{ "a" is ${name}(range) }}`)).toThrow('test not found');
    expect(() => rendered(`{{ ["a"] | select("${name}", range) | join }}`)).toThrow('test not found');
    expect(rendered(`{{ "${name}" in {} }}`)).toBe('false');
  },
);

/** V8 ends the whole program when one step needs more than there is. */
test.each([
  ['{{ "x".padEnd(2000000) }}', '2000000 characters are more than'],
  [
    '{% set s = "0123456789abcdef" %}{% for i in range(21) %}{% set s = s ~ s %}{% endfor %}{{ s.split("").length }}',
    'is more than 16000000',
  ],
  [
    '{% set s = "0123456789abcdef" %}{% for i in range(21) %}{% set s = s ~ s %}{% endfor %}{{ s | list | length }}',
    'is more than 16000000',
  ],
  ['{% set l = range(1000000) %}{{ l.concat(l, l, l, l, l, l, l, l, l, l).length }}', '11000000 elements are more than'],
])('%s is too much', (template, reason) => {
  expect(() => rendered(template)).toThrow(reason);
});

test('a rendering that fills the memory is stopped before the program is', () => {
  const hoarder = '{% set l = [] %}{% for i in range(1000000) %}{{ "" if l.push((i ~ "x").padEnd(900000) | upper) }}{% endfor %}';

  expect(() => rendered(hoarder, undefined, { limitMs: 60_000 })).toThrow('needs too much memory');
  expect(rendered('{{ range(3) | join }}')).toBe('012');
});

test('a Go template is told as one', () => {
  expect(() => rendered('{{ range service "web" }}')).toThrow('looks like a Go template');
  expect(() => rendered('{{ keyOrDefault "a" "b" }}')).toThrow('looks like a Go template');
  expect(() => rendered('{{ range(1 }}')).not.toThrow('looks like a Go template');
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
  expect(() => rendered('{% include "none" %}', undefined, {}, here)).toThrow('template not found: none');
  expect(rendered('{% include "none" ignore missing %}-', undefined, {}, here)).toBe('-');
  expect(() => rendered('{% include "../secret" ignore missing %}', undefined, {}, here)).toThrow('outside of');
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
  expect(() => rendered('{{ file("link") }}', undefined, { folder: join(folder.path, 'in') })).toThrow("outside of the template's folder");
  expect(() => rendered('{{ file("/etc/passwd") }}')).toThrow('reads no file');
});

test('options of Nunjucks are its defaults, and can be set', () => {
  const template = '{% if true %}\n  {% if true %}\na\n{% endif %}\n{% endif %}\n';

  expect(rendered(template)).toBe('\n  \na\n\n\n');
  expect(rendered(template, undefined, {}, { trimBlocks: true, lstripBlocks: true })).toBe('a\n');
  expect(rendered('[{{ nothing }}]')).toBe('[]');
  expect(() => rendered('{{ nothing }}', undefined, {}, { errorOnMissingKey: true })).toThrow('undefined');
});
