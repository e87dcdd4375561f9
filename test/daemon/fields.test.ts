import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { faultLines } from '../../daemon/fault-lines.ts';
import { fields, mapOf } from '../../daemon/fields.ts';

const size = v.pipe(v.number('must be a number'), v.maxValue(9, 'must be at most 9'));
const document = fields({ name: v.string(), boxes: v.array(fields({ size }), 'must be a list of boxes') }, { vault: ' (it is elsewhere)' });

function faultsOf(given: unknown): readonly string[] {
  const read = v.safeParse(document, given);
  return read.success ? [] : faultLines(read.issues);
}

test('a document is read to its values; what was not given is undefined', () => {
  expect(v.parse(document, { boxes: [{ size: 3 }, {}] })).toEqual({ boxes: [{ size: 3 }, {}] });
});

test('every fault is told, with where it is and the nearest known key', () => {
  expect(faultsOf({ nmae: 'x', vault: 1, boxes: [{ size: 10 }, { szie: 1 }, 7] })).toEqual([
    'boxes[1].size: must be at most 9',
    'boxes[2]: unknown key "szie" (did you mean size?)',
    'boxes[3]: must be a map',
    'unknown key "nmae" (did you mean name?)',
    'unknown key "vault" (it is elsewhere)',
  ]);
});

test.each([[null], [[]], ['text']])('%j is no document', (given) => {
  expect(faultsOf(given)).toEqual(['must be a map']);
});

test('a map keeps every key, and says where a value is wrong', () => {
  const given = JSON.parse('{"constructor": "a", "__proto__": "b", "k": "c"}');
  expect(Object.entries(v.parse(mapOf(v.string()), given))).toEqual(Object.entries(given));
  const read = v.safeParse(fields({ labels: mapOf(v.string()) }), { labels: { k: 1 } });
  expect(read.success ? [] : faultLines(read.issues)).toEqual([expect.stringMatching(/^labels\.k: /)]);
});
