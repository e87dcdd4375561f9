import { expect, test } from '@jest/globals';
import { mirrorOf } from '../../../deploy/host/debian.ts';

test('the mirror is the first of Debian that is not for security updates alone', () => {
  const targets = `NodeSource https://node.test/20
Debian http://mirror.test/debian-security/
Debian http://mirror.test/debian/
Debian http://other.test/debian/
`;

  expect(mirrorOf(targets)).toBe('http://mirror.test/debian/');
  expect(mirrorOf('NodeSource https://node.test/20\n')).toBeUndefined();
  expect(mirrorOf('')).toBeUndefined();
});
