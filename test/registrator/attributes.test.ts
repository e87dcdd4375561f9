import { expect, test } from '@jest/globals';
import { cutToBytes, parseAttributes } from '../../registrator/attributes.ts';
import { readMetadata } from '../../registrator/metadata.ts';

const parse = (labels: Record<string, string>) => parseAttributes(readMetadata([], labels).ofPort(80));

test('further keys are attributes; what we understand ourselves is not', () => {
  const { meta, refused } = parse({
    SERVICE_NAME: 'n',
    SERVICE_ID: 'i',
    SERVICE_TAGS: 't',
    SERVICE_CHECK_TCP: '1',
    SERVICE_REGION: 'us2',
    SERVICE_EMPTY: '',
  });

  expect(meta).toEqual({ region: 'us2', empty: '' });
  expect(refused).toEqual([]);
});

test.each([
  ['SERVICE_FOO.BAR', 'letters, digits'],
  ['SERVICE_', 'letters, digits'],
  [`SERVICE_${'K'.repeat(129)}`, '128 bytes'],
  ['SERVICE_CONSUL-X', 'kept for Consul'],
  ['SERVICE___PROTO__', 'no key'],
  ['SERVICE_TOOTS-OWNER', 'kept for the registrator'],
])('%s is left out, and a problem', (key, reason) => {
  const { meta, refused } = parse({ [key]: 'v', SERVICE_GOOD: 'g' });

  expect(meta).toEqual({ good: 'g' });
  expect(refused).toEqual([{ option: key, value: 'v', reason: expect.stringContaining(reason) }]);
});

test.each([
  ['x'.repeat(512), true],
  ['x'.repeat(513), false],
  ['ä'.repeat(256), true],
  ['ä'.repeat(257), false],
])('a value of up to 512 bytes is taken, a longer one is left out, and a problem', (value, isTaken) => {
  const { meta, refused } = parse({ SERVICE_LONG: value, SERVICE_GOOD: 'g' });

  expect(meta).toEqual({ good: 'g', ...(isTaken && { long: value }) });
  expect(refused).toEqual(isTaken ? [] : [{ option: 'SERVICE_LONG', value, reason: expect.stringContaining('512 bytes') }]);
});

test('the first 61 in byte order are taken, each further one is a problem', () => {
  const labels = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`SERVICE_K${String(index).padStart(2, '0')}`, 'v']));

  const { meta, refused } = parse(labels);

  expect(Object.keys(meta)).toHaveLength(61);
  expect(refused.map(({ option }) => option)).toEqual(Array.from({ length: 9 }, (_, index) => `SERVICE_K${61 + index}`));
});

test('a text is cut between two characters', () => {
  expect(cutToBytes('aäb', 2)).toBe('a');
  expect(cutToBytes('aäb', 3)).toBe('aä');
  expect(cutToBytes('€', 2)).toBe('');
});
