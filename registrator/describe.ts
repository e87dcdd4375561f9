import { type Check, META, type Registration } from '../consul/registration.ts';
import { EDGE_OPTIONS } from '../model/edge-options.ts';
import { isForEdge, valuesOfTag } from '../model/edge-tags.ts';
import type { Problem } from '../model/problem.ts';
import { shownValue } from '../model/problem.ts';
import { DEFAULT_WEIGHT } from '../model/weight.ts';
import { cutToBytes, parseAttributes, type Refused } from './attributes.ts';
import { type CheckAbilities, furtherCheckId, parseChecks } from './checks.ts';
import type { Container } from './container.ts';
import { type AddressPolicy, type Endpoint, type ExposedPort, endpointsOf, exposedPorts, isPort, type Neighbourhood } from './endpoints.ts';
import { plainId, serviceNames } from './identity.ts';
import { type PortMetadata, readMetadata } from './metadata.ts';
import { type ContainerFilter, isSelected } from './selection.ts';
import { givenNames, type NameSource, variantOf } from './service-name.ts';
import type { TagTemplate } from './tag-template.ts';
import { joinTags, parseTags } from './tags.ts';
import { answering, NOTHING_ASKED, type WebAnswers } from './web-answers.ts';

/** What an operator has decided about all containers. */
export interface DescribePolicy extends AddressPolicy {
  /** Of this host: the first part of an ID. */
  readonly hostName: string;
  readonly owner: string;
  /** `-explicit`: only ports that a key names. */
  readonly isExplicit: boolean;
  readonly nameFrom: NameSource;
  readonly extraTags: TagTemplate;
  /** Tags of a port add to the general ones; otherwise they stand instead. */
  readonly mergesTags: boolean;
  /** Which containers count; none for all. */
  readonly filters: readonly ContainerFilter[];
  /** For checks without a key of their own for it; a Go duration. */
  readonly checkDeregisterAfter?: string;
}

/** What a container's services depend on beside the container itself. */
export interface Surroundings extends Neighbourhood {
  readonly abilities: CheckAbilities;
  /** What the image's ID stands for, where that is all the container knows of its image. */
  readonly imageName?: string;
  /** What the templates of `-tags` asked the web for. */
  readonly webAnswers?: WebAnswers;
}

/** What a container is in Consul while it runs. */
export interface Description {
  readonly services: readonly DescribedService[];
  /** Of the container as a whole and of each of its services. */
  readonly problems: readonly Problem[];
  /** Why there is no service at all. */
  readonly why?: string;
  /** No filter selects it: it may be another registrator's. */
  readonly isPassedOver?: true;
}

export interface DescribedService {
  readonly registration: Registration;
  readonly exposed: ExposedPort;
}

/** Pure: the services of a container, by gliderlabs registrator's keys and ours. */
export function describeContainer(container: Container, policy: DescribePolicy, near: Surroundings): Description {
  if (!isSelected(container, policy.filters)) return { services: [], problems: [], why: 'no -filter selects it', isPassedOver: true };
  const metadata = readMetadata(container.env, container.labels);
  const ports = exposedPorts(container, metadata.namedPorts, policy, near);
  const wanted = ports
    .map((exposed) => ({ exposed, metadata: metadata.ofPort(exposed.number) }))
    .filter((port) => isWanted(port.metadata, policy));
  const reachable = wanted.map((port) => ({ ...port, ...endpointsOf(container, port.exposed, port.metadata, policy, near) }));
  const registered = reachable.filter(({ endpoints }) => endpoints.length > 0);
  const extra = policy.extraTags.render(container.inspection, answering(near.webAnswers ?? NOTHING_ASKED));
  const described = registered.map((port) =>
    describePort({ ...port, container, policy, near, hasSuffix: registered.length > 1, extraTags: extra.tags }),
  );
  const refused = [
    ...noPorts(metadata.namedPorts),
    ...reachable.flatMap((port) => port.refused),
    ...described.flatMap((port) => port.refused),
    ...extra.faults.map(({ reason }) => ({ option: '-tags', reason })),
  ];
  return {
    services: described.flatMap(({ services }) => services),
    problems: [...new Set(refused.map((one) => JSON.stringify(problemOf(container, one))))].map((text): Problem => JSON.parse(text)),
    ...(registered.length === 0 && { why: whyNothing(ports, wanted.length, reachable.find(({ why }) => why !== undefined)?.why, policy) }),
  };
}

function noPorts(named: readonly number[]): readonly Refused[] {
  return named
    .filter((port) => !isPort(port))
    .map((port) => ({ option: `SERVICE_${port}_NAME`, reason: 'a port is a number from 1 to 65535' }));
}

function isWanted(metadata: PortMetadata, { isExplicit }: DescribePolicy): boolean {
  return metadata.get('ignore') === undefined && (!isExplicit || givenNames(metadata).length > 0);
}

function whyNothing(
  ports: readonly ExposedPort[],
  wanted: number,
  unreachable: string | undefined,
  { isInternal, isExplicit }: DescribePolicy,
): string {
  if (ports.length === 0) return isInternal ? 'it exposes no port' : 'it publishes no port';
  if (wanted === 0) return isExplicit ? 'no port is named (-explicit), or SERVICE_IGNORE is set' : 'SERVICE_IGNORE is set';
  return unreachable ?? 'none of its ports can be reached';
}

function problemOf({ name }: Container, { option, value, reason }: Refused): Problem {
  return { subject: name, option, ...(value !== undefined && { value: shownValue(value) }), reason };
}

interface PortToDescribe {
  readonly container: Container;
  readonly exposed: ExposedPort;
  readonly metadata: PortMetadata;
  readonly endpoints: readonly Endpoint[];
  readonly hasSuffix: boolean;
  readonly extraTags: readonly string[];
  readonly policy: DescribePolicy;
  readonly near: Surroundings;
}

function describePort(port: PortToDescribe): { services: readonly DescribedService[]; refused: readonly Refused[] } {
  const { container, exposed, metadata, endpoints, near } = port;
  const given = port.policy.mergesTags ? metadata.both('tags') : [metadata.get('tags') ?? ''];
  const tags = joinTags(given.flatMap(parseTags), port.extraTags, exposed.protocol === 'udp' ? ['udp'] : []);
  const attributes = parseAttributes(metadata);
  const plain = plainId(port);
  const names = serviceNames(port, plain.id);
  const refused = [...attributes.refused, ...plain.refused, ...names.refused];
  const instances = names.names.flatMap((name) => endpoints.map((endpoint, index) => ({ ...name, endpoint, index })));
  const services = instances.map(({ name, idSuffix, endpoint, index }) => {
    const id = `${plain.id}${idSuffix}${bindingSuffix(endpoints, index)}`;
    const checks = parseChecks(
      metadata,
      { serviceId: id, ...endpoint, containerId: container.id, containerPort: exposed.number },
      { ...near.abilities, ...(port.policy.checkDeregisterAfter !== undefined && { deregisterAfter: port.policy.checkDeregisterAfter }) },
    );
    refused.push(...checks.refused);
    const registration: Registration = {
      id,
      name,
      ...endpoint,
      tags,
      meta: { ...attributes.meta, ...ownMeta(port) },
      weights: { passing: servedWeight(tags), warning: 1 },
      tagsAreFree: metadata.get('enable_tag_override') !== undefined,
      checks: [...checks.checks, ...dockerHealth(container, id, metadata)],
    };
    return { registration, exposed };
  });
  return { services, refused };
}

/** The first binding keeps the plain ID, each further one adds its host port, and its address where one before it has that port. */
function bindingSuffix(endpoints: readonly Endpoint[], index: number): string {
  const endpoint = endpoints[index];
  if (index === 0 || endpoint === undefined) return '';
  const isTaken = endpoints.slice(1, index).some(({ port }) => port === endpoint.port);
  return isTaken ? `:${endpoint.port}:${endpoint.address}` : `:${endpoint.port}`;
}

function ownMeta({ container, metadata, policy, near }: PortToDescribe): Record<string, string> {
  const variant = metadata.get('variant') ?? variantOf(container, near.imageName);
  return { [META.owner]: policy.owner, [META.container]: container.id, [META.variant]: cutToBytes(variant, 512) };
}

/** A share of the DNS answers that is as large as that of the edge. Consul wants at least 1, and gives 1 to whoever says nothing. */
function servedWeight(tags: readonly string[]): number {
  if (!isForEdge(tags)) return 1;
  for (const spelling of EDGE_OPTIONS.weight.tags) {
    const [text] = valuesOfTag(tags, spelling);
    const parsed = text === undefined ? undefined : EDGE_OPTIONS.weight.parse(text);
    if (parsed !== undefined && parsed.kind !== 'refused') return Math.max(1, parsed.value);
  }
  return DEFAULT_WEIGHT;
}

/** What Docker found, as a check that we tell; `SERVICE_CHECK_DOCKER=false` goes without. */
function dockerHealth({ state }: Container, serviceId: string, metadata: PortMetadata): readonly Check[] {
  if (state.health === undefined || /^(false|no|off|0)$/i.test(metadata.get('check_docker') ?? '')) return [];
  const status = state.health === 'healthy' ? 'passing' : 'critical';
  return [{ id: furtherCheckId('docker', serviceId), name: 'Docker health', probe: { kind: 'reported' }, status }];
}
