import { OperationError } from '../../daemon/operation-error.ts';
import type { EdgeGroup, EdgePlan } from '../../model/edge.ts';
import type { Problem } from '../../model/problem.ts';
import { createConfigWriter, keepShape, replaceFile, SECRET_FILE_MODE } from './config-files.ts';
import { type EdgeSettings, edgeFiles } from './edge-settings.ts';
import { checkConfig } from './haproxy-binary.ts';
import { findOffenders, type Offender, offenderProblem, withoutOffenders } from './quarantine.ts';
import type { EdgeRenderer, RenderedEdge } from './render.ts';

/** A plan that HAProxy can load, and its texts. */
export interface ValidEdge {
  readonly plan: EdgePlan;
  readonly rendered: RenderedEdge;
}

/** Keeps the files that a start or a reload of HAProxy reads, and never lets an invalid one among them. */
export interface ValidConfig {
  /** A plan as it is rendered, without the groups that are known to be refused. Pure. */
  readonly render: (plan: EdgePlan) => ValidEdge;
  /**
   * Writes the files for a plan. Where HAProxy refuses them, the groups at fault are found, named in `problems` and left out of the answer.
   * @throws OperationError when it refuses them whatever is left out, or a file cannot be written.
   */
  readonly keep: (edge: ValidEdge, signal: AbortSignal) => Promise<ValidEdge>;
  readonly problems: () => readonly Problem[];
}

export function createValidConfig(settings: EdgeSettings, renderEdge: EdgeRenderer): ValidConfig {
  const files = edgeFiles(settings.runDir);
  const write = createConfigWriter(files);
  let offenders: ReadonlyMap<string, Offender> = new Map();
  let lastValid: ReadonlyMap<string, EdgeGroup> = new Map();
  let validated: string | undefined;

  function render(plan: EdgePlan): ValidEdge {
    const whole = renderEdge(plan);
    offenders = new Map([...offenders].filter(([key, { text }]) => whole.shape.groups.get(key) === text));
    const reduced = withoutOffenders(plan, offenders, lastValid);
    return reduced === plan ? { plan, rendered: whole } : { plan: reduced, rendered: renderEdge(reduced) };
  }

  async function check({ rendered }: ValidEdge, signal: AbortSignal): Promise<void> {
    await replaceFile(files.candidate, rendered.config, SECRET_FILE_MODE);
    await checkConfig(settings.haproxy, files.candidate, signal);
  }

  async function quarantined(edge: ValidEdge, refusal: OperationError, signal: AbortSignal): Promise<ValidEdge> {
    const suspects = [...edge.plan.groups.values()].filter((group) => lastValid.get(group.key) !== group);
    const without = (kept: readonly EdgeGroup[], reason: string) =>
      new Map(
        suspects
          .filter((group) => !kept.includes(group))
          .map((group) => [group.key, { group, reason, text: edge.rendered.shape.groups.get(group.key) ?? '' }]),
      );
    const reduced = (left: ReadonlyMap<string, Offender>): ValidEdge => {
      const plan = withoutOffenders(edge.plan, left, lastValid);
      return { plan, rendered: renderEdge(plan) };
    };
    const isValid = (kept: readonly EdgeGroup[]) => check(reduced(without(kept, '')), signal).then(() => true, isRefusal);
    const found = await findOffenders(suspects, isValid);
    if (found === undefined || found.length === 0) throw refusal;
    const good = suspects.filter((group) => !found.includes(group));
    const now = without(good, refusal.hint ?? refusal.message);
    offenders = new Map([...offenders, ...now]);
    return reduced(now);
  }

  return {
    render,
    problems: () => [...offenders.values()].map(offenderProblem),
    keep: async (edge, signal) => {
      let valid = edge;
      await write.maps(edge.rendered);
      if (edge.rendered.fingerprint !== validated) {
        try {
          await check(edge, signal);
        } catch (error) {
          if (!(error instanceof OperationError)) throw error;
          valid = await quarantined(edge, error, signal);
          await write.maps(valid.rendered);
        }
        await keepShape(settings.runDir, files, valid.rendered);
        validated = valid.rendered.fingerprint;
      }
      lastValid = valid.plan.groups;
      await write.config(valid.rendered);
      return valid;
    },
  };
}

/** A check that HAProxy answered with no. Anything else is not known, and goes on up. */
function isRefusal(error: unknown): false {
  if (error instanceof OperationError) return false;
  throw error;
}
