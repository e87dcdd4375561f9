import { expect, test } from '@jest/globals';
import { type ContainerFilter, isSelected, parseFilter } from '../../registrator/selection.ts';
import { aContainer } from './a-container.ts';

test.each<[string, ContainerFilter | undefined]>([
  ['label=team', { kind: 'label', key: 'team' }],
  ['label=team=', { kind: 'label', key: 'team', value: '' }],
  ['label=team=red=1', { kind: 'label', key: 'team', value: 'red=1' }],
  ['project=shop', { kind: 'project', name: 'shop' }],
  ['network=web', { kind: 'network', name: 'web' }],
  ['network=web=1', undefined],
  ['name=x', undefined],
  ['label=', undefined],
  ['label', undefined],
  ['', undefined],
])('%j', (text, filter) => {
  expect(parseFilter(text)).toEqual(filter);
});

const CONTAINER = aContainer({
  labels: { team: 'red', 'com.docker.compose.project': 'shop' },
  networkMode: 'web',
  networks: { web: '172.20.0.2', back: '172.21.0.2' },
});

test.each<[readonly string[], boolean]>([
  [[], true],
  [['label=team'], true],
  [['label=team=red'], true],
  [['label=team=blue'], false],
  [['label=toString'], false],
  [['label=team=blue', 'label=team=red'], true],
  [['project=shop'], true],
  [['project=other'], false],
  [['network=back'], true],
  [['network=host'], false],
  [['label=team', 'network=back'], true],
  [['label=team', 'network=host'], false],
])('filters %j select it: %j', (filters, is) => {
  expect(isSelected(CONTAINER, filters.map(parseFilter) as ContainerFilter[])).toBe(is);
});
