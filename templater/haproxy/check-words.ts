/**
 * How an instance is checked; HAProxy takes this from no defaults for a server added at run time (haproxy issue 1994).
 * Without a check of its group's own it is asked for a connection once an hour, and at once after a connection failed: so one that is dead
 * is passed over from then on, and is back half a second after it can be reached.
 */
export function checkWords(hasCheck: boolean): string {
  return hasCheck
    ? 'check inter 2s fall 3 rise 2'
    : 'check inter 1h fastinter 50ms downinter 500ms fall 1 rise 1 observe layer4 error-limit 1 on-error fastinter';
}
