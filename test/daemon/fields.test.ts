import { expect, test } from '@jest/globals';
import { fields, listOf, shownPath } from '../../daemon/fields.ts';
import { schema, WrongValue } from '../../daemon/schema.ts';
import { text, wholeNumber } from '../../daemon/values.ts';

const size = schema((given) => wholeNumber(1, 9, 5).read(String(given)));
const document = fields({ name: text(), boxes: listOf(fields({ size }), 'must be a list of boxes') }, { vault: ' (it is elsewhere)' });

function faultsOf(given: unknown): readonly string[] {
  try {
    document.read(given);
    return [];
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    return error.faults.map(({ path, message }) => `${shownPath(path)}: ${message}`);
  }
}

test('a document is read to its values; what was not given is undefined', () => {
  expect(document.read({ boxes: [{ size: 3 }, {}] })).toEqual({ boxes: [{ size: 3 }, {}] });
});

test('every fault is told, with where it is and the nearest known key', () => {
  expect(faultsOf({ nmae: 'x', vault: 1, boxes: [{ size: 10 }, { szie: 1 }, 7] })).toEqual([
    ': unknown key "nmae" (did you mean name?)',
    ': unknown key "vault" (it is elsewhere)',
    'boxes[1].size: must be a whole number from 1 to 9',
    'boxes[2]: unknown key "szie" (did you mean size?)',
    'boxes[3]: must be a map',
  ]);
});

test.each([[null], [[]], ['text']])('%j is no document', (given) => {
  expect(faultsOf(given)).toEqual([': must be a map']);
});

test('a key that every object inherits is unknown too', () => {
  expect(faultsOf({ constructor: 1 })).toEqual([': unknown key "constructor"']);
});
