import { expect, test } from '@jest/globals';
import { shownVariant, unknownVariants } from '../../model/variant-name.ts';

test.each<[title: string, variant: string, others: string[], shown: string]>([
  ['the last part of a path', '/shop/canary', ['/shop/stable'], 'canary'],
  ['a name without a slash', 'canary', ['stable'], 'canary'],
  ['the whole where another one ends the same', '/shop/canary', ['/cart/canary'], '/shop/canary'],
])('a variant is shown as %s', (_, variant, others, shown) => {
  expect(shownVariant(variant, new Set([variant, ...others]))).toBe(shown);
});

test('a name is known whole and by its last part', () => {
  expect(unknownVariants(['/shop/canary', 'canary', 'canry', 'shop'], new Set(['/shop/canary', '/shop/stable']))).toEqual([
    'canry',
    'shop',
  ]);
});
