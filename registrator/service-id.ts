import { posix } from 'node:path';

/**
 * Whether an agent can be told of a service again by this ID. It takes any when a service is registered, and the rest of a path when it is
 * to go: `//`, `.` and `..` are cleaned out of that, and control characters refused, so that such a service would stay for ever.
 */
export function isServiceId(id: string): boolean {
  return id !== '' && !/\p{Cc}/u.test(id) && posix.normalize(`/${id}`) === `/${id}`;
}
