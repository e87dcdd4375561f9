/** TCP ports from `from` to `to`, both among them. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

const MOST_PORT = 65_535;

/** Reads ranges such as `1024-9999,30000`; the empty text is every port. Undefined where it is none. Pure. */
export function parsePortRanges(text: string): readonly PortRange[] | undefined {
  const ranges = (text.trim() === '' ? `1-${MOST_PORT}` : text).split(',').map((item) => {
    const [, from = '', to = from] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(item) ?? [];
    return { from: Number(from), to: Number(to) };
  });
  return ranges.every(({ from, to }) => from >= 1 && from <= to && to <= MOST_PORT) ? ranges : undefined;
}

export function isInRanges(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ from, to }) => port >= from && port <= to);
}

/** The ranges as they are written. Pure. */
export function shownRanges(ranges: readonly PortRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}
