import { expect, test } from '@jest/globals';
import { parseConfText } from '../../../deploy/cluster/conf-text.ts';

test.each([
  ['MASTERS=10.0.0.1,10.0.0.2', 'MASTERS', '10.0.0.1,10.0.0.2'],
  ['  export NIC=eth0   # the inner one', 'NIC', 'eth0'],
  ["EX_DOMAIN='.example.org'", 'EX_DOMAIN', '.example.org'],
  ['EX_DOMAIN="example.org" # ours', 'EX_DOMAIN', 'example.org'],
  ['A="a \\"b\\" \\$c"', 'A', 'a "b" $c'],
  ["A='$(touch x) `y`'", 'A', '$(touch x) `y`'],
  ['A=', 'A', ''],
  ['A=a#b', 'A', 'a#b'],
  ['A=b\r', 'A', 'b'],
])('%j is read', (line, key, value) => {
  expect(parseConfText(line, 'Toots.conf')).toEqual({ entries: [{ key, value, where: 'Toots.conf:1' }], problems: [], broken: [] });
});

test.each([
  ['A=$(touch /tmp/x)', /Toots.conf:1: A: this file is read, not run/],
  ['A=`touch /tmp/x`', /not run/],
  ['A="$(touch /tmp/x)"', /not run/],
  ['A="$HOME"', /not run/],
  ['A=b;touch', /not run/],
  ['A=b&&touch', /not run/],
  ['A=b c', /has a space; put the value in quotes/],
  ['A="b', /do not enclose one value on one line/],
  ["A='b'c'", /do not enclose/],
  ['A = b', /must be KEY=value without spaces/],
  ['touch /tmp/x', /must be KEY=value/],
  ['2A=b', /must be KEY=value/],
])('%j is a problem, and nothing is run', (line, problem) => {
  const { entries, problems } = parseConfText(line, 'Toots.conf');

  expect(entries).toEqual([]);
  expect(problems).toEqual([expect.stringMatching(problem)]);
});

test('every problem of a text is told, with its line; what is right is read', () => {
  const { entries, problems } = parseConfText('# the cluster\n\nMASTERS="10.0.0.1\n10.0.0.2"\nNIC=eth0\nVIP=$VIP\n', 'Toots.conf');

  expect(entries.map(({ key }) => key)).toEqual(['NIC']);
  expect(problems.map((problem) => problem.split(': ')[0])).toEqual(['Toots.conf:3', 'Toots.conf:4', 'Toots.conf:6']);
});
