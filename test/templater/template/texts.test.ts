import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { goRegex } from '../../../templater/template/filters/go-regex.ts';
import { yamlText } from '../../../templater/template/filters/yaml-text.ts';
import { parseTemplateFlag, parseWait } from '../../../templater/template/settings.ts';
import { unifiedDiff } from '../../../templater/template/unified-diff.ts';

test.each([
  ['a\\-b', 'a-b', true],
  ['^\\s+$', '\v', false],
  ['(?P<year>\\d{4})', '2026', true],
  ['[[:alpha:]_]+$', 'ab_', true],
  ['[^[:digit:]]', '12', false],
  ['\\Qa.b\\E', 'a.b', true],
  ['\\Qa.b\\E', 'axb', false],
  ['(?m)^b$', 'a\nb\nc', true],
  ['^b$', 'a\nb\nc', false],
  ['(?s)a.b', 'a\nb', true],
  ['a.b', 'a\nb', false],
  ['\\Aab\\z', 'ab', true],
  ['\\pL+\\x{e9}\\x41', 'éA', false],
  ['\\p{Greek}', 'π', true],
  ['a{,2}', 'a{,2}', true],
  ['[]a]+$', ']a', true],
  ['/path', '/path', true],
  ['^(?i:a)b$', 'Ab', true],
  ['^(?i:a)b$', 'AB', false],
  ['^(a|aa)+$', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', false],
])('%s on %j is %s', (pattern, text, matches) => {
  expect(goRegex(pattern).matcher(text).find()).toBe(matches);
});

test.each(['(?<=a)b', '(a)\\1', '[a', '(', '\\q', '[[:nosuch:]]', '(?x)a'])('%s is refused with its text', (pattern) => {
  expect(() => goRegex(pattern)).toThrow(JSON.stringify(pattern).slice(1, -1));
});

test.each([
  ['yes', '"yes"'],
  ['12', '"12"'],
  ['1e3', '"1e3"'],
  ['0x1F', '"0x1F"'],
  ['2026-01-02', '"2026-01-02"'],
  ['12:30', '"12:30"'],
  ['null', '"null"'],
  ['a: b', "'a: b'"],
  ['a #b', "'a #b'"],
  ['- a', "'- a'"],
  ["it's", "it's"],
  ['@home', "'@home'"],
  ['tab\there', '"tab\\there"'],
  ['one\ntwo', '|-\none\ntwo'.replace(/\n/g, '\n  ')],
])('YAML writes %j as %s', (text, yaml) => {
  expect(yamlText(text)).toBe(yaml);
});

test('YAML that was written reads as what it was', () => {
  // A lone point is written plain, as Go does; the reader here takes it for a number without digits.
  const text = fc.string({ unit: fc.constantFrom(...'ab01 :-#\'"{}[],&*!|>%@`\n\t~.') }).filter((some) => !/^-?\.$/.test(some));
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(text, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value;

  fc.assert(
    fc.property(value, (any) => expect(parse(`${yamlText(any)}\n`, { version: '1.2' })).toEqual(any)),
    { numRuns: 500 },
  );
});

test('a template flag has its parts by the first colons', () => {
  expect(parseTemplateFlag('a.njk:/etc/a')).toEqual({ source: 'a.njk', destination: '/etc/a', command: undefined });
  expect(parseTemplateFlag('a:b:curl http://x:80/')).toEqual({ source: 'a', destination: 'b', command: 'curl http://x:80/' });
  expect(parseTemplateFlag('a')).toBeUndefined();
});

test('the most of a wait is four times the least', () => {
  expect(parseWait('5s')).toEqual({ minMs: 5_000, maxMs: 20_000 });
  expect(parseWait('1s:2s')).toEqual({ minMs: 1_000, maxMs: 2_000 });
  expect(parseWait('2s:1s')).toBeUndefined();
  expect(parseWait('soon')).toBeUndefined();
});

test('a difference is shown as diff -u does', () => {
  const before = `${Array.from({ length: 12 }, (_, at) => `line ${at}`).join('\n')}\n`;

  expect(unifiedDiff('f', before, before)).toBe('');
  expect(unifiedDiff('f', before, before.replace('line 5', 'line five'))).toBe(
    '--- f\n+++ f\n@@ -3,7 +3,7 @@\n line 2\n line 3\n line 4\n-line 5\n+line five\n line 6\n line 7\n line 8\n',
  );
  expect(unifiedDiff('f', undefined, 'a')).toBe('--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n');
});
