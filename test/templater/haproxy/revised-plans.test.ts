import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Catalog } from '../../../model/catalog.ts';
import type { EdgePlan } from '../../../model/edge.ts';
import { createPlanner, type PlannedEdge } from '../../../model/plan-edge.ts';
import { changedKeys, withValues } from '../../../model/revised-map.ts';
import { changeOfEdge } from '../../../templater/haproxy/edge-change.ts';
import { edgeFiles } from '../../../templater/haproxy/edge-settings.ts';
import { changeOfPlan } from '../../../templater/haproxy/plan-entries.ts';
import { createRenderer, type EdgeRenderer } from '../../../templater/haproxy/render.ts';
import { type RunningEdge, runningAsPlanned } from '../../../templater/haproxy/running-edge.ts';
import { aCatalog, anInstance, asWatched, POLICY } from '../../model/a-catalog.ts';
import { anySteps } from '../../model/any-catalogs.ts';
import { ENOUGH_FILES, SETTINGS } from './a-plan.ts';

const newRenderer = () => createRenderer(SETTINGS, edgeFiles(SETTINGS.runDir), { version: '2.6', prometheus: true, addsBackends: false });

/** The same without any memory of what it was made of. */
function copied(plan: EdgePlan): EdgePlan {
  return { ...plan, groups: new Map(structuredClone([...plan.groups])), hosts: new Map(plan.hosts), paths: new Map(plan.paths) };
}

function copiedRunning(running: RunningEdge): RunningEdge {
  return { ...running, instances: new Map([...running.instances].map(([key, all]) => [key, new Map(all)])) };
}

/** What stands in every file. */
function texts(render: EdgeRenderer, plan: EdgePlan) {
  const { config, shape, ...rest } = render(plan);
  return { ...rest, config: config(), shape: [...shape.groups] };
}

/** HAProxy after it was told some of what the plan wants of the groups that it has. */
function told(running: RunningEdge, plan: EdgePlan, isTold: (key: string) => boolean): RunningEdge {
  const planned = runningAsPlanned({ pid: 1, fingerprint: 'f', limit: ENOUGH_FILES, throttles: [] }, plan, {
    base: '',
    listeners: new Map(),
    groups: new Map(),
  });
  const groups = [...planned.instances].filter(([key]) => running.instances.has(key) && isTold(key));
  return { ...running, instances: withValues(running.instances, new Map(groups)) };
}

/** The plans of catalogs as a planner gives them that remembers. */
function plansOf(catalogs: readonly Catalog[]): readonly EdgePlan[] {
  const planner = createPlanner();
  let [before, lastGood]: [Catalog, PlannedEdge['lastGood']] = [aCatalog([]), new Map()];
  return catalogs.map((wanted) => {
    before = asWatched(before, wanted);
    const planned = planner(before, POLICY, lastGood);
    lastGood = planned.lastGood;
    return planned.plan;
  });
}

test('what is written, told and kept after a few changes is what it would be without any memory', () => {
  fc.assert(
    fc.property(anySteps, fc.infiniteStream(fc.boolean()), (catalogs, isTold) => {
      const render = newRenderer();
      const plans = plansOf(catalogs);
      const first = plans[0] ?? fail();
      let before = first;
      let running = runningAsPlanned({ pid: 1, fingerprint: 'f', limit: ENOUGH_FILES, throttles: [] }, first, render(first).shape);
      for (const plan of plans) {
        expect(texts(render, plan)).toEqual(texts(newRenderer(), copied(plan)));

        const shape = render(plan).shape;
        const alone = changeOfEdge(copiedRunning(running), copied(plan), { ...shape, groups: new Map(shape.groups) }, false);
        const change = changeOfEdge(running, plan, shape, false);
        expect(sorted(change.actions)).toEqual(sorted(alone.actions));
        expect(change.reasons).toEqual(alone.reasons);

        const kept = changeOfPlan({ ...before, groups: new Map(before.groups) }, { ...plan, groups: new Map(plan.groups) });
        expect(changeOfPlan(before, plan)).toEqual(kept);
        running = told(running, plan, () => isTold.next().value === true);
        before = plan;
      }
    }),
    { numRuns: 40 },
  );
});

function sorted(actions: ReturnType<typeof changeOfEdge>['actions']): readonly string[] {
  return actions.map((action) => JSON.stringify(action)).sort();
}

function fail(): never {
  throw new Error('there is a first plan');
}

test('another instance leaves the sections as they are, the same object', () => {
  const render = newRenderer();
  const [plan, next] = plansOf([aCatalog([anInstance({})]), aCatalog([anInstance({ port: 9 })])]);
  if (plan === undefined || next === undefined) return fail();

  expect(changedKeys(plan.groups, next.groups)).toEqual(['web']);
  expect(render(next).shape.groups).toBe(render(plan).shape.groups);
});
