import { expect, test } from '@jest/globals';
import { OperationError } from '../../../daemon/operation-error.ts';
import { createPlanner } from '../../../model/plan-edge.ts';
import { createFiling } from '../../../templater/haproxy/filing.ts';
import type { ValidEdge } from '../../../templater/haproxy/valid-config.ts';
import { aCatalog, POLICY } from '../../model/a-catalog.ts';
import { shapeOf } from './a-plan.ts';

function anEdge(fingerprint: string): ValidEdge {
  const { plan } = createPlanner()(aCatalog([]), POLICY, new Map());
  const maps = { certificateList: '', hostsMap: '', vhostsMap: '', variantsMap: '', pathsMap: '' };
  return { plan, rendered: { config: () => '', ...maps, shape: shapeOf(plan), fingerprint } };
}

/** A disk that takes its time: each `onDisk` waits for its turn of `flush`. */
function slowDisk() {
  const did: string[] = [];
  const waiting: ((error?: Error) => void)[] = [];
  const outcomes: unknown[] = [];
  let seen = () => {};
  const filing = createFiling({
    keep: async (edge) => {
      did.push(`keep ${edge.rendered.fingerprint}`);
      seen();
      return edge;
    },
    onDisk: () => new Promise((resolve, reject) => waiting.push((error) => (error === undefined ? resolve() : reject(error)))),
    done: (outcome) => {
      outcomes.push(outcome);
      seen();
    },
  });
  const next = () => new Promise<void>((resolve) => (seen = resolve));
  return { filing, did, outcomes, next, flush: (error?: Error) => waiting.shift()?.(error) };
}

test('a reload need not wait for the disk, and the next texts are not written over those that are on their way', async () => {
  const { filing, did, flush, next } = slowDisk();

  await filing.now(anEdge('a'));
  const second = filing.now(anEdge('b'));
  await new Promise(setImmediate);

  expect(did).toEqual(['keep a']);
  const kept = next();
  flush();
  await kept;
  expect(did).toEqual(['keep a', 'keep b']);
  await second;
});

test('what does not get to the disk is told, and written again', async () => {
  const { filing, did, outcomes, flush, next } = slowDisk();
  const error = new OperationError('write file', { subject: 'haproxy.cfg', hint: 'make room' });

  await filing.now(anEdge('a'));
  const told = next();
  flush(error);
  await told;
  expect(outcomes).toEqual([{ error }]);

  const again = filing.flush();
  await new Promise(setImmediate);
  expect(did).toEqual(['keep a', 'keep a']);
  flush();
  await again;
});
