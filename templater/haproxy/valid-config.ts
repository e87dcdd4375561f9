import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { OperationError } from '../../daemon/operation-error.ts';
import type { EdgeGroup, EdgePlan } from '../../model/edge.ts';
import type { Problem } from '../../model/problem.ts';
import { createConfigWriter, replaceFile, SECRET_FILE_MODE } from './config-files.ts';
import { type EdgeSettings, edgeFiles } from './edge-settings.ts';
import { checkConfig } from './haproxy-binary.ts';
import { defaultsOfSection } from './plain-section.ts';
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
  /** Resolves when what was kept outlives a power cut. @throws OperationError when it does not get to the disk. */
  readonly onDisk: () => Promise<void>;
  /** Has the next one asked about whatever it is: HAProxy did not load the last. */
  readonly distrust: () => void;
  readonly problems: () => readonly Problem[];
}

/** `inUse` is the fingerprint that HAProxy carries, whose shape has to be kept. */
export function createValidConfig(settings: EdgeSettings, renderEdge: EdgeRenderer, inUse: () => string | undefined): ValidConfig {
  const files = edgeFiles(settings.runDir);
  const writer = createConfigWriter(files);
  let offenders: ReadonlyMap<string, Offender> = new Map();
  let lastValid: ReadonlyMap<string, EdgeGroup> = new Map();
  let validated: RenderedEdge | undefined;
  let kept: string | undefined;

  function render(plan: EdgePlan): ValidEdge {
    const whole = renderEdge(plan);
    offenders = new Map([...offenders].filter(([key, { text }]) => whole.shape.groups.get(key) === text));
    const reduced = withoutOffenders(plan, offenders, lastValid);
    return reduced === plan ? { plan, rendered: whole } : { plan: reduced, rendered: renderEdge(reduced) };
  }

  /** Writes a configuration if HAProxy calls it valid; answers why it does not. @throws OperationError when it cannot be written. */
  async function write({ rendered }: ValidEdge, signal: AbortSignal): Promise<OperationError | undefined> {
    let refusal: OperationError | undefined;
    const check = async () => {
      refusal = await refusalOf(signal);
      if (refusal !== undefined) throw refusal;
    };
    try {
      await writer.config(rendered, isAsValid(rendered, validated) ? undefined : check);
      return undefined;
    } catch (error) {
      if (refusal !== undefined) return refusal;
      throw error;
    }
  }

  /** Why HAProxy refuses the candidate. */
  function refusalOf(signal: AbortSignal): Promise<OperationError | undefined> {
    return checkConfig(settings.haproxy, files.candidate, signal).then(() => undefined, asRefusal);
  }

  /** Whether a part of the whole is valid; nothing of it is kept. */
  async function isValid({ rendered }: ValidEdge, signal: AbortSignal): Promise<boolean> {
    await replaceFile(files.candidate, rendered.config(), SECRET_FILE_MODE);
    const refusal = await refusalOf(signal);
    await rm(files.candidate, { force: true });
    return refusal === undefined;
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
    const found = await findOffenders(suspects, (kept) => isValid(reduced(without(kept, '')), signal));
    if (found === undefined || found.length === 0) throw refusal;
    const good = suspects.filter((group) => !found.includes(group));
    const now = without(good, refusal.hint ?? refusal.message);
    offenders = new Map([...offenders, ...now]);
    const valid = reduced(now);
    const again = await write(valid, signal);
    if (again !== undefined) throw again;
    return valid;
  }

  return {
    render,
    onDisk: writer.onDisk,
    distrust: () => {
      validated = undefined;
    },
    problems: () => [...offenders.values()].map(offenderProblem),
    keep: async (edge, signal) => {
      const writeBeside = ({ rendered }: ValidEdge) =>
        Promise.all([
          writer.maps(rendered),
          rendered.fingerprint === kept && existsSync(files.shape(kept)) ? undefined : writer.shape(rendered, inUse()),
        ]);
      await writer.certificates(edge.rendered); // a check wants one of them at least
      // A check reads the maps too; the texts of before are as good for it.
      const [refusal] = await Promise.all([write(edge, signal), writeBeside(edge)]);
      const valid = refusal === undefined ? edge : await quarantined(edge, refusal, signal);
      if (valid !== edge) await writeBeside(valid);
      validated = valid.rendered;
      kept = valid.rendered.fingerprint;
      lastValid = valid.plan.groups;
      return valid;
    },
  };
}

/**
 * Whether HAProxy need not be asked, having called valid what differs from this in nothing but sections of a name, a mode and a balance. To ask is half of
 * what there is to do before a reload, and HAProxy is asked by the reload too: what it does not load leaves the old one serving. Pure.
 */
export function isAsValid({ shape, fingerprint }: RenderedEdge, valid: RenderedEdge | undefined): boolean {
  if (valid === undefined || valid.shape.base !== shape.base) return false;
  if (valid.fingerprint === fingerprint) return true;
  return [...shape.groups].every(([key, text]) => valid.shape.groups.get(key) === text || defaultsOfSection(text) !== undefined);
}

/** A check that HAProxy answered with no. Anything else is not known, and goes on up. */
function asRefusal(error: unknown): OperationError {
  if (error instanceof OperationError) return error;
  throw error;
}
