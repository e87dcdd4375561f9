import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findOffenders, type Offender, withoutOffenders } from '../../../templater/haproxy/quarantine.ts';
import { edgeGroup, edgeInstance, edgePlan } from './a-plan.ts';

/** A whole that is invalid with any of `bad` in it; counts how often it was tried. */
function whole(bad: readonly string[], base = true) {
  const tries: (readonly string[])[] = [];
  return {
    tries,
    isValid: async (kept: readonly string[]) => {
      tries.push(kept);
      return base && !kept.some((one) => bad.includes(one));
    },
  };
}

describe('offenders', () => {
  test('are found, all of them, whatever stands around them', async () => {
    const suspects = fc.array(fc.boolean(), { maxLength: 40 }).map((flags) => flags.map((isBad, i) => ({ name: `s${i}`, isBad })));
    await fc.assert(
      fc.asyncProperty(suspects, async (all) => {
        const names = all.map(({ name }) => name);
        const bad = all.flatMap(({ name, isBad }) => (isBad ? [name] : []));

        expect(await findOffenders(names, whole(bad).isValid)).toEqual(bad);
      }),
    );
  });

  test('one of a thousand takes some twenty tries', async () => {
    const suspects = Array.from({ length: 1000 }, (_, i) => `s${i}`);
    const { tries, isValid } = whole(['s617']);

    expect(await findOffenders(suspects, isValid)).toEqual(['s617']);
    expect(tries.length).toBeLessThan(25);
  });

  test('that are only invalid together are both named', async () => {
    const isValid = async (kept: readonly string[]) => !(kept.includes('a') && kept.includes('c'));

    expect(await findOffenders(['a', 'c'], isValid)).toEqual(['a', 'c']);
  });

  test('there are none to blame when the whole is invalid without any suspect', async () => {
    expect(await findOffenders(['a'], whole([], false).isValid)).toBeUndefined();
  });
});

describe('a plan without its offenders', () => {
  const web = edgeGroup('web', [edgeInstance('w')]);
  const bad = edgeGroup('bad', [edgeInstance('new')], { balance: 'first' });
  const plan = edgePlan({ groups: [web, bad], hosts: { 'web.x': 'web', 'bad.x': 'bad' }, paths: { '/bad': 'bad' } });
  const offenders = new Map<string, Offender>([['bad', { group: bad, text: 'backend bad', reason: 'no' }]]);

  test('has the options they had before, with the instances of now', () => {
    const before = edgeGroup('bad', [edgeInstance('old')], { balance: 'leastconn' });

    const { groups, hosts } = withoutOffenders(plan, offenders, new Map([['bad', before]]));

    expect(groups.get('bad')).toMatchObject({ balance: 'leastconn', instances: [{ name: 'new' }] });
    expect(hosts.get('bad.x')).toBe('bad');
  });

  test('has nothing of one that never was valid', () => {
    const { groups, hosts, paths } = withoutOffenders(plan, offenders, new Map());

    expect([...groups.keys(), ...hosts.keys(), ...paths.keys()]).toEqual(['web', 'web.x']);
  });

  test('is the same plan when there are none', () => {
    expect(withoutOffenders(plan, new Map(), new Map())).toBe(plan);
  });
});
