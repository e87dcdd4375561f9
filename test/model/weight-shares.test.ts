import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { weight } from '../../model/weight.ts';
import { parseWeightShares, weightsByShares } from '../../model/weight-shares.ts';

const instances = (...variants: readonly string[]) => variants.map((variant) => ({ variant, weight: weight(100) }));

describe('the value of the key', () => {
  test('is an object of variants and shares', () => {
    expect(parseWeightShares('{"stable":90,"canary":10.5}')).toEqual(
      new Map([
        ['stable', 90],
        ['canary', 10.5],
      ]),
    );
  });

  test.each([['abc'], ['[]'], ['null'], ['5'], ['{"a":"1"}'], ['{"a":-1}'], ['{"a":1e9}'], ['{"a":null}'], ['']])(
    '%s is refused with what would be right',
    (text) => {
      expect(parseWeightShares(text)).toContain('{"stable":90,"canary":10}');
    },
  );
});

describe('weights by shares', () => {
  test.each([
    ['two variants of one instance', instances('stable', 'canary'), { stable: 90, canary: 10 }, [0.9, 0.1]],
    ['however many instances', instances('stable', 'stable', 'stable', 'canary'), { stable: 90, canary: 10 }, [0.3, 0.3, 0.3, 0.1]],
    ['shares that are no percents', instances('stable', 'canary'), { stable: 3, canary: 1 }, [0.75, 0.25]],
    ['a variant without a share has what is left', instances('stable', 'stable', 'canary'), { canary: 10 }, [0.45, 0.45, 0.1]],
    ['nothing is left for it', instances('stable', 'canary'), { canary: 100 }, [0, 1]],
    ['a share of nothing', instances('stable', 'canary'), { stable: 100, canary: 0 }, [1, 0]],
    ['a variant without instances takes nothing', instances('stable'), { stable: 10, canary: 90 }, [1]],
    ['the end of a path names its variant', instances('/shop/stable', '/shop/canary'), { stable: 75, canary: 25 }, [0.75, 0.25]],
  ])('%s', (_what, all, shares, expected) => {
    const weights = weightsByShares(all, new Map(Object.entries(shares)));

    const sum = weights.reduce((total, one) => total + one, 0);
    for (const [i, one] of weights.entries()) expect(one / sum).toBeCloseTo(expected[i] ?? -1, 2);
  });

  test.each([
    [1, 10, 5],
    [1, 20, 10],
    [1, 20, 1],
    [20, 1, 10],
    [3, 7, 2.5],
    [50, 50, 1],
  ])('%i stable and %i canary instances share as 100 − %i %% to it, to a quarter of a percent', (stable, canary, share) => {
    const all = instances(...Array<string>(stable).fill('stable'), ...Array<string>(canary).fill('canary'));

    const weights = weightsByShares(
      all,
      new Map([
        ['stable', 100 - share],
        ['canary', share],
      ]),
    );

    const [sum, ofCanary] = [weights, weights.slice(stable)].map((some) => some.reduce((total, one) => total + one, 0));
    expect(Math.abs(((ofCanary ?? 0) / (sum ?? 1)) * 100 - share)).toBeLessThan(0.25);
  });

  test('a small share is never nothing', () => {
    const [, canary] = weightsByShares(
      instances('stable', 'canary'),
      new Map([
        ['stable', 10_000],
        ['canary', 1],
      ]),
    );

    expect(canary).toBe(1);
  });

  test('are weights whatever is shared among whatever', () => {
    const some = fc.array(fc.record({ variant: fc.constantFrom('a', 'b', 'c'), weight: fc.integer({ min: 0, max: 256 }).map(weight) }));
    const shares = fc.dictionary(fc.constantFrom('a', 'b', 'x'), fc.double({ min: 0, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(some, shares, (all, given) => {
        for (const one of weightsByShares(all, new Map(Object.entries(given)))) expect(weight(one)).toBe(one);
      }),
    );
  });
});
