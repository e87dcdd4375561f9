import type { TaggedAddresses } from '../consul/registration.ts';
import { byteOrder } from '../model/compare.ts';
import { isAddress } from '../model/host-name.ts';
import { ipVersion } from '../model/ip-address.ts';
import type { Refused } from './attributes.ts';
import type { Binding, Container } from './container.ts';
import type { PortMetadata } from './metadata.ts';

/** Which address a service is registered with. */
export interface AddressPolicy {
  /** `-ip`: the address of this host, whatever a port is published on. */
  readonly hostAddress?: string;
  /** `-internal`: addresses and ports of the containers themselves. */
  readonly isInternal: boolean;
  /** `-useIpFromLabel`: the label that tells the address. */
  readonly addressLabel?: string;
}

/** What the address depends on beside the container itself. */
export interface Neighbourhood {
  /** The address that the agent tells others. */
  readonly agentAddress: string;
  /** Its further ones, by Consul's words (`lan_ipv6`, `wan`, …). */
  readonly otherAddresses: Readonly<Record<string, string>>;
  /** The container whose network this one uses (`container:ID`), where it is known. */
  readonly networkOwner?: Container;
}

/** Where a service can be reached. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly taggedAddresses: TaggedAddresses;
}

/** A port of a container that can be registered. */
export interface ExposedPort {
  readonly number: number;
  readonly protocol: string;
}

/**
 * The ports that can be registered, in order: published ones; with `-internal` every exposed one; where nothing is published,
 * as on the host's network, on macvlan or in another container's network, the exposed ones. On the host's network also those that a key alone names.
 */
export function exposedPorts(
  container: Container,
  namedPorts: readonly number[],
  { isInternal }: AddressPolicy,
  near: Neighbourhood,
): readonly ExposedPort[] {
  const published = [...container.bindings].filter(([, bindings]) => isInternal || bindings.length > 0).map(([port]) => port);
  const unpublished = container.exposed.filter((port) => isInternal || !container.bindings.has(port));
  const told = [...published, ...unpublished].map(parsePort);
  const untold = namedPorts.filter((number) => isPort(number) && !told.some((port) => port.number === number));
  const named = isOnHostNetwork(container, near) ? untold.map((number) => ({ number, protocol: 'tcp' })) : [];
  return [...new Map([...told, ...named].map((port) => [`${port.number}/${port.protocol}`, port])).values()].sort(
    (a, b) => a.number - b.number || byteOrder(a.protocol, b.protocol),
  );
}

export function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 65_535;
}

function parsePort(text: string): ExposedPort {
  const [number, protocol = 'tcp'] = text.split('/');
  return { number: Number(number), protocol };
}

export type Found = { readonly endpoints: readonly Endpoint[]; readonly refused: readonly Refused[]; readonly why?: string };

/** The endpoints of one port, the one that keeps the plain ID first; none, and why, where it cannot be reached. */
export function endpointsOf(
  container: Container,
  port: ExposedPort,
  metadata: PortMetadata,
  policy: AddressPolicy,
  near: Neighbourhood,
): Found {
  const found = plainEndpoints(container, port, metadata, policy, near);
  if (policy.addressLabel === undefined || isInContainerNetwork(container)) return found;
  const { address, refused } = labelledAddress(container, policy.addressLabel);
  if (address === undefined) return { ...found, refused: [...found.refused, ...refused] };
  return { endpoints: distinct(found.endpoints.map(({ port }) => ({ address, port, taggedAddresses: {} }))), refused: [] };
}

function plainEndpoints(
  container: Container,
  port: ExposedPort,
  metadata: PortMetadata,
  policy: AddressPolicy,
  near: Neighbourhood,
): Found {
  const bindings = container.bindings.get(`${port.number}/${port.protocol}`) ?? [];
  if (isOnHostNetwork(container, near)) {
    const address = (policy.isInternal ? undefined : policy.hostAddress) ?? near.agentAddress;
    return { endpoints: [{ address, port: port.number, taggedAddresses: {} }], refused: [] };
  }
  if (isInContainerNetwork(container)) return inNetworkOf(near.networkOwner, port);
  if (policy.isInternal) return inContainer(container, port, metadata.get('network'));
  if (bindings.length > 0) return published(bindings, policy, near);
  return inContainer(container, port, metadata.get('network'));
}

function isInContainerNetwork({ networkMode }: Container): boolean {
  return networkMode.startsWith('container:');
}

function isOnHostNetwork(container: Container, { networkOwner }: Neighbourhood): boolean {
  return (isInContainerNetwork(container) ? networkOwner : container)?.networkMode === 'host';
}

function inNetworkOf(owner: Container | undefined, port: ExposedPort): Found {
  if (owner === undefined) return { endpoints: [], refused: [], why: 'the container whose network it uses does not run' };
  return inContainer(owner, port, undefined);
}

/** Address and port of a container itself: on the network that was asked for, else on the default bridge, else on the first by name. */
function inContainer({ networks }: Container, port: ExposedPort, asked: string | undefined): Found {
  const sorted = [...networks].sort((a, b) => byteOrder(a.network, b.network));
  const chosen =
    asked === undefined
      ? (sorted.find(({ network }) => network === 'bridge') ?? sorted[0])
      : sorted.find(({ network }) => network === asked);
  if (chosen !== undefined) return { endpoints: [{ address: chosen.address, port: port.number, taggedAddresses: {} }], refused: [] };
  if (asked === undefined) return { endpoints: [], refused: [], why: 'it is on no network with an address' };
  const names = sorted.map(({ network }) => network).join(', ') || 'none';
  const reason = `the container is not on this network; it is on ${names}: connect it, or name one of these`;
  return { endpoints: [], refused: [{ option: 'SERVICE_NETWORK', value: asked, reason }], why: `it is not on the network ${asked}` };
}

/** Every binding once: `0.0.0.0` and `::` of one host port are one, and so are all of them where `-ip` gives the address. */
function published(bindings: readonly Binding[], { hostAddress }: AddressPolicy, { agentAddress, otherAddresses }: Neighbourhood): Found {
  const reachable = withoutOtherFamily(bindings, hostAddress ?? agentAddress);
  const endpoints = reachable.map(({ hostIp, hostPort }) => ({
    address: hostAddress ?? (isWildcard(hostIp) ? agentAddress : hostIp),
    port: hostPort,
    taggedAddresses: hostAddress === undefined && isWildcard(hostIp) ? alsoThere(bindings, hostPort, otherAddresses) : {},
  }));
  const loopback = hostAddress === undefined ? bindings.find(({ hostIp }) => isLoopback(hostIp)) : undefined;
  return { endpoints: distinct(endpoints), refused: loopback === undefined ? [] : [onlyHere(loopback)] };
}

/**
 * An engine that chooses the host port may choose one for `0.0.0.0` and another for `::` (20.10 does). Each listens for its own family
 * alone, so that only one of them is behind the address of the host.
 */
function withoutOtherFamily(bindings: readonly Binding[], hostAddress: string): readonly Binding[] {
  const other = ipVersion(hostAddress) === 6 ? '0.0.0.0' : '::';
  const isOfFamily = ({ hostIp }: Binding) => isWildcard(hostIp) && hostIp !== other;
  return bindings.some(isOfFamily) ? bindings.filter(({ hostIp }) => hostIp !== other) : bindings;
}

/** The host's other addresses of the families that the port is published for. */
function alsoThere(bindings: readonly Binding[], port: number, addresses: Neighbourhood['otherAddresses']): TaggedAddresses {
  const wildcards = bindings.filter(({ hostIp, hostPort }) => hostPort === port && isWildcard(hostIp)).map(({ hostIp }) => hostIp);
  const isThere = (address: string) =>
    wildcards.some((hostIp) => hostIp === '' || hostIp === (ipVersion(address) === 6 ? '::' : '0.0.0.0'));
  return Object.fromEntries(Object.entries(addresses).flatMap(([tag, address]) => (isThere(address) ? [[tag, { address, port }]] : [])));
}

function onlyHere({ hostIp, hostPort }: Binding): Refused {
  const reason = 'other hosts cannot reach this address: publish the port on an address of this host, or without one, or give -ip';
  return { option: 'publish', value: `${hostIp}:${hostPort}`, reason };
}

function distinct(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const byText = new Map(endpoints.map((endpoint) => [`${endpoint.address} ${endpoint.port}`, endpoint]));
  return [...byText.values()].sort((a, b) => a.port - b.port || byteOrder(a.address, b.address));
}

function isWildcard(hostIp: string): boolean {
  return hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::';
}

export function isLoopback(hostIp: string): boolean {
  return hostIp.startsWith('127.') || hostIp === '::1';
}

/** What follows the last `/`, a mask, is cut off. */
function labelledAddress({ labels }: Container, label: string): { address?: string; refused: readonly Refused[] } {
  const value = Object.hasOwn(labels, label) ? labels[label] : undefined;
  if (value === undefined) return { refused: [] };
  const address = value.replace(/\/[^/]*$/, '').trim();
  if (isAddress(address)) return { address, refused: [] };
  return { refused: [{ option: label, value, reason: 'it must be an IP address or a host name: the label is passed over' }] };
}
