import { describe, expect, test } from '@jest/globals';
import * as v from 'valibot';
import { didYouMean } from '../../daemon/did-you-mean.ts';
import { helpText, readSettings } from '../../daemon/settings.ts';
import { addressAndPort, duration, durationMs, flag, oneOf, text, texts, wholeNumber } from '../../daemon/values.ts';

const PROGRAM = {
  name: 'toots x',
  usage: '[options]',
  about: 'Does x.',
  options: {
    api: { flag: 'api', value: 'ADDR:PORT', schema: addressAndPort('127.0.0.1:9'), describe: 'Where' },
    wait: { flag: 'wait', env: ['X_WAIT'], value: 'DURATION', schema: duration('1m30s'), describe: 'How long' },
    many: { flag: 'add', value: 'NAME', many: true as const, schema: texts(), describe: 'What more' },
    dry: { flag: 'dry-run', schema: flag(), describe: 'Changes nothing' },
    size: { flag: 'size', aliases: ['s'], value: 'N', schema: wholeNumber(1, 9, 5), describe: 'How much' },
    kind: { flag: 'kind', value: 'WORD', schema: oneOf(['a', 'b'], 'a'), describe: 'Which' },
    token: {
      flag: 'token',
      env: ['X_TOKEN'],
      value: 'TOKEN',
      secret: true as const,
      schema: v.pipe(
        text(),
        v.check((value) => !value.includes(' '), 'must be one word'),
      ),
      describe: 'Secret',
    },
  },
};

const read = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => readSettings(PROGRAM, argv, env);

test.each([
  ['-help', { kind: 'help' }],
  ['--h', { kind: 'help' }],
  ['--version', { kind: 'version' }],
  ['-v', { kind: 'version' }],
])('%s is answered, whatever else is asked for', (word, answer) => {
  expect(readSettings(PROGRAM, ['-nosuch', word], {})).toMatchObject(answer);
});

test('a flag beats the environment, the environment beats the default', () => {
  const waitOf = (argv: readonly string[], env?: Readonly<Record<string, string>>) => {
    const parsed = read(argv, env);
    return parsed.kind === 'settings' ? parsed.settings.wait : parsed;
  };

  expect(waitOf([])).toBe(90_000);
  expect(waitOf([], { X_WAIT: '2s' })).toBe(2_000);
  expect(waitOf(['-wait', '3s'], { X_WAIT: '2s' })).toBe(3_000);
  expect(waitOf([], { X_WAIT: '' })).toBe(90_000);
});

test.each([[['-size', '3']], [['--size', '3']], [['-size=3']], [['--size=3']], [['-s', '3']], [['-size', '7', '-size', '3']]])(
  '%j is taken as Go’s flags take it',
  (argv) => {
    expect(read(argv)).toMatchObject({ kind: 'settings', settings: { size: 3 } });
  },
);

test.each([
  [[], false],
  [['-dry-run'], true],
  [['-dry-run=false'], false],
  [['-dry-run=1'], true],
])('%j switches: %s', (argv, dry) => {
  expect(read(argv)).toMatchObject({ settings: { dry } });
});

test('an option that may be given several times is a list', () => {
  expect(read(['-add', 'a', '--add=b'])).toMatchObject({ settings: { many: ['a', 'b'] } });
});

test('every problem is told, with what would be right and never a secret', () => {
  const parsed = read(['-szie', '-size', '10', '-kind=c', '-api', 'here', 'stray', '-wait'], { X_TOKEN: 'very secret' });

  expect(parsed).toEqual({
    kind: 'wrong',
    problems: [
      'unknown option -szie (did you mean -size?)',
      '-wait: its value DURATION is missing',
      'unexpected argument "stray"',
      '-api: must be ADDRESS:PORT, got "here"',
      '-size: must be a whole number from 1 to 9, got "10"',
      '-kind: must be one of a, b, got "c"',
      'X_TOKEN: must be one word',
    ],
  });
});

test('the help shows each option with its default as it is written and its variables', () => {
  const help = helpText(PROGRAM);

  expect(help).toContain('Usage: toots x [options]\n\nDoes x.\n');
  expect(help).toMatch(/-api ADDR:PORT +Where \(default 127\.0\.0\.1:9\)\n/);
  expect(help).toMatch(/-wait DURATION +How long \(default 1m30s\) \[X_WAIT\]\n/);
  expect(help).toMatch(/-add NAME +What more\n/);
  expect(help).toMatch(/-dry-run +Changes nothing\n/);
});

describe('a misspelt word', () => {
  test.each([
    ['staus', ' (did you mean status?)'],
    ['dmeo', ' (did you mean demo?)'],
    ['dwon', ' (did you mean down?)'],
    ['tests', ' (did you mean test?)'],
    ['frobnicate', ''],
    ['', ''],
  ])('%s%s', (word, answer) => {
    expect(didYouMean(word, ['demo', 'status', 'down', 'test'], '')).toBe(answer);
  });
});

test.each([
  ['0', 0],
  ['1.5s', 1_500],
  ['2m30s', 150_000],
  ['500ms', 500],
  ['10', undefined],
  ['s', undefined],
  ['-1s', undefined],
])('the duration %s is %s ms', (written, ms) => {
  expect(durationMs(written)).toBe(ms);
});
