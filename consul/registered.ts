import { canonical, digestOf } from './check-digest.ts';
import type { Registered, RegisteredCheck, Registration } from './registration.ts';

/** Whether each part of a registration is as it should be, in the order in which it is told. */
const IS_SAME: Readonly<Record<string, (wanted: Registration, actual: Registered) => boolean>> = {
  name: (wanted, actual) => wanted.name === actual.name,
  address: (wanted, actual) => wanted.address === actual.address,
  port: (wanted, actual) => wanted.port === actual.port,
  'tagged addresses': (wanted, actual) => canonical(otherAddresses(wanted)) === canonical(otherAddresses(actual)),
  'tag override': (wanted, actual) => wanted.tagsAreFree === actual.tagsAreFree,
  tags: (wanted, actual) => wanted.tagsAreFree || canonical(wanted.tags) === canonical(actual.tags),
  meta: (wanted, actual) => canonical(wanted.meta) === canonical(actual.meta),
  weights: (wanted, actual) => canonical(wanted.weights) === canonical(actual.weights),
  checks: (wanted, actual) => wanted.checks.every((check) => actual.checks.get(check.id)?.digest === digestOf(check)),
};

/** Whether registering it again would change nothing. Statuses and maintenance come and go without that. */
export function isRegistered(wanted: Registration, actual: Registered): boolean {
  return Object.values(IS_SAME).every((isSame) => isSame(wanted, actual));
}

/** What registering it again would change: `tags`, `checks`, …; nothing where {@link isRegistered}. */
export function differingParts(wanted: Registration, actual: Registered): readonly string[] {
  return Object.entries(IS_SAME).flatMap(([part, isSame]) => (isSame(wanted, actual) ? [] : [part]));
}

/** Without those that Consul adds. */
function otherAddresses({ address, port, taggedAddresses }: Pick<Registered, 'address' | 'port' | 'taggedAddresses'>): object {
  return Object.fromEntries(Object.entries(taggedAddresses).filter(([, other]) => other.address !== address || other.port !== port));
}

/** What the agent holds after it took the registration: checks it had keep their status, those the registration has not stay. */
export function registeredAs(wanted: Registration, before?: Registered): Registered {
  const { checks, ...rest } = wanted;
  const taken = checks.map((check): [string, RegisteredCheck] => [
    check.id,
    { status: before?.checks.get(check.id)?.status ?? check.status ?? 'critical', digest: digestOf(check) },
  ]);
  return {
    ...rest,
    checks: new Map([...(before?.checks ?? []), ...taken]),
    ...(before?.maintenance !== undefined && { maintenance: before.maintenance }),
  };
}
