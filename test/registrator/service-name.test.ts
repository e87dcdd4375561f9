import { expect, test } from '@jest/globals';
import { registeredAs } from '../../consul/registered.ts';
import { describeContainer } from '../../registrator/describe.ts';
import { baseName, earlierImageName, hasBareImage, nameOfTags } from '../../registrator/service-name.ts';
import type { InspectedContainer } from '../harness/inspection.ts';
import { aContainer, NEAR, POLICY } from './a-container.ts';

const HEX = 'ab'.repeat(32);
const BARE = { image: `sha256:${HEX}`, imageId: `sha256:${HEX}` };

test.each([
  ['web', 'web'],
  ['team/web:1.2', 'web'],
  ['repo:5000/team/web', 'web'],
  ['repo:5000/web:1@sha256:abc', 'web'],
  ['nginx@sha256:abc', 'nginx'],
])('%s is called %s', (image, name) => {
  expect(baseName(image)).toBe(name);
});

test.each([
  [['team/b:1', 'team/a:2'], 'a'],
  [['<none>:<none>'], undefined],
  [[], undefined],
])('an image with the tags %j is called %s', (tags, name) => {
  expect(nameOfTags(tags)).toBe(name);
});

test.each([
  [`sha256:${HEX}`, true],
  [HEX.slice(0, 12), true],
  ['abba', false],
  ['web', false],
])('%s is an ID: %s', (image, isBare) => {
  expect(hasBareImage(aContainer({ image, imageId: `sha256:${image === 'abba' ? '0'.repeat(64) : HEX}` }))).toBe(isBare);
});

test.each<[string, InspectedContainer, string | undefined]>([
  ['one port', {}, 'anon'],
  ['several ports', { ports: { '80/tcp': ['1'], '81/tcp': ['2'] } }, 'anon'],
  ['under Compose, where the variant is another', { labels: { 'com.docker.compose.service': 'cart' } }, 'anon'],
  [
    'under Compose, several ports, one of them named',
    { labels: { 'com.docker.compose.service': 'cart' }, ports: { '80/tcp': ['1'], '81/tcp': ['2'] }, env: { SERVICE_80_NAME: 'http' } },
    'anon',
  ],
  ['named, and a variant of its own', { env: { SERVICE_NAME: 'x', SERVICE_VARIANT: 'blue' } }, undefined],
])('what a bare ID stood for is known from what is registered: %s', (_, given, name) => {
  const container = aContainer({ ...BARE, ...given });
  const before = describeContainer(container, POLICY, { ...NEAR, imageName: 'anon' }).services.map(({ registration }) =>
    registeredAs(registration),
  );

  expect(earlierImageName(container, before)).toBe(name);
});

test.each<[string, InspectedContainer]>([
  ['nothing is registered', {}],
  ['under Compose', { labels: { 'com.docker.compose.service': 'cart' } }],
])('what stood for nothing still does: %s', (_, given) => {
  const container = aContainer({ ...BARE, ...given });
  const before = describeContainer(container, POLICY, NEAR).services.map(({ registration }) => registeredAs(registration));

  expect(earlierImageName(container, before)).toBeUndefined();
  expect(earlierImageName(container, [])).toBeUndefined();
});
