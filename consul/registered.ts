import { canonical, digestOf } from './check-digest.ts';
import type { Registered, RegisteredCheck, Registration } from './registration.ts';

/** Whether registering it again would change nothing. Statuses and maintenance come and go without that. */
export function isRegistered(wanted: Registration, actual: Registered): boolean {
  return (
    wanted.name === actual.name &&
    wanted.address === actual.address &&
    wanted.port === actual.port &&
    canonical(otherAddresses(wanted)) === canonical(otherAddresses(actual)) &&
    wanted.tagsAreFree === actual.tagsAreFree &&
    (wanted.tagsAreFree || canonical(wanted.tags) === canonical(actual.tags)) &&
    canonical(wanted.meta) === canonical(actual.meta) &&
    canonical(wanted.weights) === canonical(actual.weights) &&
    wanted.checks.every((check) => actual.checks.get(check.id)?.digest === digestOf(check))
  );
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
