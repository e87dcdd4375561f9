import type { EdgeGroup, EdgePlan } from '../../model/edge.ts';
import type { Problem } from '../../model/problem.ts';

/** A group whose text HAProxy refuses. */
export interface Offender {
  readonly group: EdgeGroup;
  /** Its section without instances, as it was refused; another text is another try. */
  readonly text: string;
  /** What HAProxy said. */
  readonly reason: string;
}

/**
 * Finds which of some suspects make a whole invalid, by halving: as many tries as offenders times the logarithm of the suspects.
 * `isValid` tries the whole with only these suspects in it. Undefined when it is invalid without any of them.
 */
export async function findOffenders<Suspect>(
  suspects: readonly Suspect[],
  isValid: (kept: readonly Suspect[]) => Promise<boolean>,
): Promise<readonly Suspect[] | undefined> {
  if (!(await isValid([]))) return undefined;
  const among = async (part: readonly Suspect[]): Promise<readonly Suspect[]> => {
    if (part.length === 0 || (await isValid(part))) return [];
    if (part.length === 1) return part;
    const half = Math.ceil(part.length / 2);
    const found = [...(await among(part.slice(0, half))), ...(await among(part.slice(half)))];
    return found.length > 0 ? found : part; // valid alone, invalid together
  };
  return among(suspects);
}

/** The plan without its offenders: each has the options it had when it was last valid, or is left out with its rules. */
export function withoutOffenders(
  plan: EdgePlan,
  offenders: ReadonlyMap<string, Offender>,
  lastValid: ReadonlyMap<string, EdgeGroup>,
): EdgePlan {
  if (offenders.size === 0) return plan;
  const groups = new Map<string, EdgeGroup>();
  for (const [key, group] of plan.groups) {
    const before = lastValid.get(key);
    if (!offenders.has(key)) groups.set(key, group);
    else if (before !== undefined) groups.set(key, { ...before, instances: group.instances });
  }
  const ofGroups = <Key>(entries: ReadonlyMap<Key, string>) => new Map([...entries].filter(([, key]) => groups.has(key)));
  return {
    groups,
    hosts: ofGroups(plan.hosts),
    vhosts: ofGroups(plan.vhosts),
    paths: ofGroups(plan.paths),
    listeners: ofGroups(plan.listeners),
    certificates: plan.certificates,
  };
}

export function offenderProblem({ group, reason }: Offender): Problem {
  return {
    subject: group.service,
    reason: `HAProxy refuses its section, so it keeps what it had: ${reason}. This is a fault of Toots; please report it with the service's tags`,
  };
}
