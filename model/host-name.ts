import { ipVersion } from './ip-address.ts';

const LABEL = /^[A-Za-z0-9_-]{1,63}$/;
const MOST_BYTES = 253;

/** Whether a text can stand in a host name and in HAProxy's: labels of 1–63 letters, digits, `-`, `_`, joined by dots, at most 253 bytes. */
export function isHostName(text: string): boolean {
  return text.length <= MOST_BYTES && text.split('.').every((label) => LABEL.test(label));
}

/** An IP address, or a host name. What ends in a number is an address to every resolver, and so a wrong one: `999.1.1.1`; what begins with `-` is an option. */
export function isAddress(text: string): boolean {
  return ipVersion(text) !== undefined || (isHostName(text) && !text.startsWith('-') && !/(?:^|\.)\d+$/.test(text));
}

/** What decides which hosts a service has. */
export interface HostPolicy {
  /** Consul's domain, such as `consul`. */
  readonly domain: string;
  /** Further domains, without a leading dot: `x.<added domain>`. */
  readonly addedDomains: readonly string[];
  readonly datacenters: readonly string[];
}

/** Every host of a service, in lower case: `x.service`, `x.service.<domain>`, `x.service.<dc>.<domain>`, `x.<added domain>`. */
export function hostsOfService(service: string, { domain, addedDomains, datacenters }: HostPolicy): readonly string[] {
  const name = service.toLowerCase();
  return [
    `${name}.service`,
    `${name}.service.${domain}`,
    ...datacenters.map((datacenter) => `${name}.service.${datacenter}.${domain}`),
    ...addedDomains.map((added) => `${name}.${added}`),
  ].map((host) => host.toLowerCase());
}
