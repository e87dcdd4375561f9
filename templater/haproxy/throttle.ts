/** Something that holds back all of HAProxy, as nobody but a hand can have set it. */
export interface Throttle {
  readonly what: string;
  /** The Runtime API command that takes it back. */
  readonly undo: string;
}

const RATES = [
  ['ConnRateLimit', 'connections'],
  ['SessRateLimit', 'sessions'],
  ['SslRateLimit', 'ssl-sessions'],
] as const;

/** What holds HAProxy back, of the answer to `show info`: a configuration of ours has no limit of rates, and as many connections as can be. Pure. */
export function parseThrottles(info: string): readonly Throttle[] {
  const numberOf = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(info)?.[1] ?? 0);
  const [now, can] = [numberOf('Maxconn'), numberOf('Hard_maxconn')];
  const connections =
    now === can || can === 0 ? [] : [{ what: `it takes ${now} connections, not ${can}`, undo: `set maxconn global ${can}` }];
  const rates = RATES.filter(([field]) => numberOf(field) > 0).map(([field, rate]) => ({
    what: `it takes ${numberOf(field)} ${rate} a second`,
    undo: `set rate-limit ${rate} global 0`,
  }));
  return [...connections, ...rates];
}
