import { expect, test } from '@jest/globals';
import { type Case, doubt } from '../../../templater/template/guard.ts';

const calm: Case = {
  before: 5,
  after: 3,
  evidence: { knownLeader: true, filteredByAcl: false },
  trouble: 'none',
  isCatalogEmpty: false,
  isHeld: false,
};

test.each<[string, Partial<Case>, string | undefined]>([
  ['the first answer', { before: undefined, after: 0, isCatalogEmpty: true }, undefined],
  ['fewer', {}, undefined],
  ['none, others are there', { after: 0 }, undefined],
  ['as many, whatever the evidence', { after: 5, isHeld: true, trouble: 'went back' }, undefined],
  ['fewer without a leader', { evidence: { knownLeader: false, filteredByAcl: false } }, 'no leader'],
  ['fewer by ACL', { evidence: { knownLeader: true, filteredByAcl: true } }, 'token'],
  ['fewer as the index went back', { evidence: { knownLeader: true, filteredByAcl: false, wentBackFrom: 9 } }, 'index went back'],
  ['fewer as another index went back', { trouble: 'went back' }, 'index went back'],
  ['fewer after an outage', { trouble: 'failed' }, undefined],
  ['none after an outage', { trouble: 'failed', after: 0 }, 'came back'],
  ['none, and nothing else either', { after: 0, isCatalogEmpty: true }, 'whole catalog'],
  ['fewer while held', { isHeld: true }, 'in doubt'],
])('%s', (_, difference, words) => {
  const why = doubt({ ...calm, ...difference });

  if (words === undefined) expect(why).toBeUndefined();
  else expect(why).toContain(words);
});
