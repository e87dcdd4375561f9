import { posix } from 'node:path';
import type { Refused } from './attributes.ts';
import type { Container } from './container.ts';
import type { ExposedPort } from './endpoints.ts';
import type { PortMetadata } from './metadata.ts';
import { defaultName, givenNames, type NameSource } from './service-name.ts';

/** A port, and what its services' names and IDs are made of. */
interface PortToName {
  readonly container: Container;
  readonly exposed: ExposedPort;
  readonly metadata: PortMetadata;
  /** Of several ports that are registered. */
  readonly hasSuffix: boolean;
  readonly policy: { readonly hostName: string; readonly nameFrom: NameSource };
  readonly near: { readonly imageName?: string };
}

/** `SERVICE_<port>_ID` or `SERVICE_ID` as it is, else `host:container:port`, and `:udp`. */
export function plainId({ container, exposed, metadata, policy }: PortToName): { id: string; refused: readonly Refused[] } {
  const udp = exposed.protocol === 'udp' ? ':udp' : '';
  const own = `${policy.hostName}:${container.name}:${exposed.number}${udp}`;
  const given = metadata.get('id');
  if (given === undefined || isServiceId(given)) return { id: given ?? own, refused: [] };
  const reason = `${NO_ID}: ${own} is taken`;
  return { id: own, refused: [{ option: 'SERVICE_ID', value: given, reason }] };
}

const NO_ID = 'an agent cannot be told again of an ID with //, with . or .. between slashes, or with control characters';

/**
 * The names of a port's services. One that was not given for this very port gets the port as suffix where several ports are registered.
 * The first keeps the plain ID, each further one adds itself to it.
 */
export function serviceNames(
  { container, exposed, metadata, hasSuffix, policy, near }: PortToName,
  plain: string,
): { names: readonly { name: string; idSuffix: string }[]; refused: readonly Refused[] } {
  const given = givenNames(metadata);
  const names = given.length > 0 ? given : [defaultName(container, near.imageName, policy.nameFrom)];
  const suffix = hasSuffix && !metadata.isOfPort('name') ? `-${exposed.number}` : '';
  const all = names.map((name, index) => ({ name: `${name}${suffix}`, idSuffix: index === 0 ? '' : `:${name}` }));
  const isGood = ({ name, idSuffix }: (typeof all)[number]) => !/\p{Cc}/u.test(name) && isServiceId(`${plain}${idSuffix}`);
  const reason = `a name must have no control characters, and ${NO_ID}: there is no such service`;
  return {
    names: all.filter(isGood),
    refused: all.filter((one) => !isGood(one)).map(({ name }) => ({ option: 'SERVICE_NAME', value: name, reason })),
  };
}

/**
 * Whether an agent can be told of a service again by this ID. It takes any when a service is registered, and the rest of a path when it is
 * to go: `//`, `.` and `..` are cleaned out of that, and control characters refused, so that such a service would stay for ever.
 */
export function isServiceId(id: string): boolean {
  return id !== '' && !/\p{Cc}/u.test(id) && posix.normalize(`/${id}`) === `/${id}`;
}
