import { networkInterfaces } from 'node:os';
import { ipVersion } from '../../../model/ip-address.ts';
import { asNumber, asText, shown } from '../filters/values.ts';
import { goTime } from '../go-time.ts';
import type { TemplateFunction } from './reader.ts';

/** What the machine itself tells: environment, files, time, addresses. */
export const machineFunctions = {
  /** Empty when it is unset, or the default; a variable that is set and empty stays empty. */
  env: (reader, name, fallback) => reader.env(asText(name)) ?? fallback ?? '',
  envOrDefault: (reader, name, fallback) => reader.env(asText(name)) ?? fallback,
  mustEnv: (reader, name) => {
    const value = reader.env(asText(name));
    if (value === undefined || value === '')
      throw new Error(`mustEnv: the environment variable ${asText(name)} is ${value === '' ? 'empty' : 'not set'}`);
    return value;
  },
  /** A file beside the template, or an absolute path; the template is rendered again when it changes. */
  file: (reader, name) => {
    if (name === '') return '';
    const path = reader.filePath(asText(name));
    const query = { id: `file ${path}`, source: { kind: 'file', path }, view: (answer: unknown) => answer } as const;
    const text = reader.read(query);
    if (text === undefined) reader.lacks(query, 'there is no such file, or it cannot be read');
    return text ?? '';
  },
  /** UTC: RFC 3339, a Go layout, or `unix`. It changes only when the template is rendered for another reason. */
  timestamp: (reader, layout) => goTime(reader.now(), layout === undefined ? '2006-01-02T15:04:05Z07:00' : asText(layout)),
  /** The first address of a network interface, IPv4 before IPv6; `interfaceAddress("eth0", 6)` for IPv6. */
  interfaceAddress: (_, name, version) => {
    const addresses = (networkInterfaces()[asText(name)] ?? []).map(({ address }) => address);
    const found =
      version === undefined ? undefined : addresses.find((address) => ipVersion(address) === asNumber(version, 'interfaceAddress'));
    const any = version === undefined ? (addresses.find((address) => ipVersion(address) === 4) ?? addresses[0]) : found;
    if (any === undefined)
      throw new Error(`interfaceAddress: ${shown(name)} has no such address; there are ${Object.keys(networkInterfaces()).join(', ')}`);
    return any;
  },
  loop: (_, first, second) => counted('loop', first, second, 1),
  /** Nunjucks' own, with a bound. */
  range: (_, first, second, step) => counted('range', first, second, step ?? 1),
} satisfies Record<string, TemplateFunction>;

const MOST_COUNTED = 1_000_000;

function counted(call: string, first: unknown, second: unknown, by: unknown): readonly number[] {
  const from = second === undefined ? 0 : asNumber(first, call);
  const to = asNumber(second ?? first, call);
  const step = asNumber(by, call);
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= MOST_COUNTED)) throw new RangeError(`${call}: ${length} numbers are more than ${MOST_COUNTED}`);
  return Array.from({ length }, (_, at) => from + at * step);
}
