import { hostname, networkInterfaces } from 'node:os';

/** An IPv4 address of this machine and the interface that has it. */
export interface NicAddress {
  readonly nic: string;
  readonly address: string;
}

/** The addresses of this machine that others may reach it by. */
export function ownAddresses(interfaces = networkInterfaces()): readonly NicAddress[] {
  return Object.entries(interfaces).flatMap(([nic, addresses = []]) =>
    addresses.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => ({ nic, address })),
  );
}

/** The addresses that mean every machine of a network that this one is in; networks of one or two machines have none. */
export function ownBroadcasts(interfaces = networkInterfaces()): readonly string[] {
  return Object.values(interfaces).flatMap((addresses = []) =>
    addresses
      .filter(({ family, internal, cidr }) => family === 'IPv4' && !internal && Number(cidr?.split('/')[1]) < 31)
      .map(({ address, netmask }) => {
        const mask = netmask.split('.').map(Number);
        return address
          .split('.')
          .map((part, i) => (Number(part) | ~(mask[i] ?? 0)) & 255)
          .join('.');
      }),
  );
}

/** The first that is not a bridge of containers or virtual machines, which others do not reach. Pure. */
export function firstOfHost(all: readonly NicAddress[]): NicAddress | undefined {
  return all.find(({ nic }) => !/^(docker|br-|veth|virbr|cni)/.test(nic));
}

/** This machine's name, as Consul takes names of nodes. */
export function hostNodeName(): string {
  return hostname().replace(/[^A-Za-z0-9-]/g, '-');
}
