import { expect, test } from '@jest/globals';
import { isForbidden } from '../../../deploy/host/docker-engine.ts';

test.each([
  [
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: … connect: permission denied',
    true,
  ],
  ['Got permission denied while trying to connect to the Docker daemon socket', true],
  ['Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?', false],
  ['Command failed with ENOENT: docker version', false],
])('%j of the client means that the engine is there and says no: %s', (said, expected) => {
  expect(isForbidden(said)).toBe(expected);
});
