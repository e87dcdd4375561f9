import { createHash } from 'node:crypto';

/** The name of the cookie by which a client keeps its instance, or its variant. Pure. */
export function cookieName(service: string): string {
  return `toots_${service}`;
}

/**
 * What HAProxy makes the cookies of a group's servers from, with their addresses (configuration manual 4.2, `dynamic-cookie-key`).
 * Made of the name alone, so that every edge node, and every restart, gives an instance the same cookie. Pure.
 */
export function cookieKey(group: string): string {
  return createHash('sha256').update(`toots sticky ${group}`).digest('hex').slice(0, 32);
}
