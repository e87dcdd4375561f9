import { type Container, parseContainer } from '../../registrator/container.ts';
import type { DescribePolicy, Surroundings } from '../../registrator/describe.ts';
import { parseTagTemplate } from '../../registrator/tag-template.ts';
import { type InspectedContainer, inspection } from '../harness/inspection.ts';

/** A container called web1 of the image team/web:1 that publishes port 80 on 8080, but for what is said. */
export function aContainer(given: InspectedContainer = {}): Container {
  return parseContainer(inspection(given), { keepsInspection: true });
}

/** Everything as it is by default, on a host called h. */
export const POLICY: DescribePolicy = {
  hostName: 'h',
  owner: 'engine-1',
  isInternal: false,
  isExplicit: false,
  nameFrom: 'image',
  extraTags: parseTagTemplate(''),
  mergesTags: false,
  filters: [],
};

/** An agent at 203.0.113.9 that takes everything. */
export const NEAR: Surroundings = { agentAddress: '203.0.113.9', otherAddresses: {}, abilities: { scripts: true, serverName: true } };
