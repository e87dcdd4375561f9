import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commandWord, configWord, formatWord } from '../../../templater/haproxy/words.ts';

test.each<[text: string, word: string]>([
  ['/run/toots/haproxy.sock', '/run/toots/haproxy.sock'],
  ['10.0.0.1:80', '10.0.0.1:80'],
  ['', "''"],
  ['a b', "'a b'"],
  ['$HOME', "'$HOME'"],
  ['#x', "'#x'"],
  ['a\\b', "'a\\b'"],
  ['"q"', `'"q"'`],
  ["it's", "'it'\\''s'"],
])('in a configuration %j is %s', (text, word) => {
  expect(configWord(text)).toBe(word);
});

test.each<[text: string, word: string]>([
  ['/media/', '/media/'],
  ['/a;b/', '/a\\;b/'],
  ['/a b', '/a\\ b'],
  ['/a\\b', '/a\\\\b'],
])('in a command %j is %s', (text, word) => {
  expect(commandWord(text)).toBe(word);
});

test.each<[text: string, word: string]>([
  ['100%', "'100%%'"],
  ['/a%20b', "'/a%%20b'"],
  ['%[env(HOME)]', "'%%[env(HOME)]'"],
])('in a log format %j is %s', (text, word) => {
  expect(formatWord(text)).toBe(word);
});

test.each(['a\nb', 'a\rb', 'a\tb', '\u0000', '\u0085', 'x\u007f'])('a control character (%j) is in no word', (text) => {
  expect(() => configWord(text)).toThrow(RangeError);
  expect(() => commandWord(text)).toThrow(RangeError);
});

test('a word of a configuration read by the rules of its manual is the text again', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text)),
      (text) => {
        expect(readQuoted(configWord(text))).toBe(text);
      },
    ),
  );
});

/** Outside quotes a backslash takes the next character as it is; between single quotes nothing is special but the quote (2.2). */
function readQuoted(word: string): string {
  return word.replace(
    /'([^']*)'|\\(.)|([^'\\])/gsu,
    (_, quoted?: string, escaped?: string, plain?: string) => quoted ?? escaped ?? plain ?? '',
  );
}
