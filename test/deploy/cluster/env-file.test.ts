import { expect, test } from '@jest/globals';
import { parseEnvFile } from '../../../deploy/cluster/env-file.ts';

const read = (text: string) => parseEnvFile(text, 'env', { TZ: 'UTC', EMPTY: '' });

test.each<[string, Record<string, string>]>([
  ['NAME=value', { NAME: 'value' }],
  ['NAME=a value with blanks ', { NAME: 'a value with blanks ' }],
  ['NAME=$(id) `id` $HOME; a | b & c > d (e)', { NAME: '$(id) `id` $HOME; a | b & c > d (e)' }],
  ['JAVA_OPTS=-Xmx1g -Dkey="a b"', { JAVA_OPTS: '-Xmx1g -Dkey="a b"' }],
  ['NAME="a b"', { NAME: 'a b' }],
  ["NAME='$HOME'", { NAME: '$HOME' }],
  ['NAME="a" "b"', { NAME: '"a" "b"' }],
  ["NAME=it's", { NAME: "it's" }],
  ['NAME=a=b # c', { NAME: 'a=b # c' }],
  ['NAME=', { NAME: '' }],
  ['my.name-1=x', { 'my.name-1': 'x' }],
  ['  INDENTED=x\r\n# NOTE=x\n\n', { INDENTED: 'x' }],
  ['TZ', { TZ: 'UTC' }],
  ['EMPTY', { EMPTY: '' }],
  ['ABSENT', {}],
])('TT-82: %j is passed as Docker takes it', (text, variables) => {
  expect(read(text)).toEqual({ variables, problems: [] });
});

test.each(['NAME = value', '=value', 'two words', 'two words=x'])('TT-82: %j is refused with its line', (line) => {
  expect(read(`OK=1\n${line}`)).toEqual({ variables: { OK: '1' }, problems: [expect.stringMatching(/^env:2: must be NAME=value/)] });
});
