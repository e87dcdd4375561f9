import { expect, test } from '@jest/globals';
import { commandNames, helpText } from '../../deploy/help.ts';

const COMMANDS = [{ name: 'demo', usage: '[--check]', about: 'Tries it', run: async () => 0 }];

test('the help lists the commands and the two services', () => {
  expect(helpText(COMMANDS)).toMatch(/ {2}toots demo \[--check\] {2,}Tries it\n/);
  expect(helpText(COMMANDS)).toContain('toots registrator [options] [consul://HOST:PORT]');
  expect(helpText(COMMANDS)).toContain('toots templater [options]');
});

test('what can follow toots is known by name, for the nearest to a misspelt one', () => {
  expect(commandNames(COMMANDS)).toEqual(['demo', 'registrator', 'templater', 'help']);
});
