import { expect, test } from '@jest/globals';
import { commandWords } from '../../../templater/template/run-command.ts';

test.each<[why: string, command: string | readonly string[], words: readonly string[]]>([
  ['a list as it is, without a shell', ['echo', '$HOME a', ';'], ['echo', '$HOME a', ';']],
  ['a text with white space by the shell', 'echo a; echo b', ['sh', '-c', 'echo a; echo b']],
  ['a single word as a program, whatever it has in it', 'a;b', ['a;b']],
  ['a single word with white space around it', ' reload\n', ['reload']],
  ['a list of one as its text', ['echo a'], ['sh', '-c', 'echo a']],
])('%s', (_, command, words) => {
  expect(commandWords(command)).toEqual(words);
});
