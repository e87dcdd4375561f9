import { firstOfHost, type NicAddress } from '../host/own-addresses.ts';
import type { ClusterConf } from './conf.ts';

export type OwnAddress = { readonly kind: 'address'; readonly own: NicAddress } | { readonly kind: 'wrong'; readonly why: string };

/**
 * Which of this machine's addresses is the node's: IP where it is given, else the first one of NIC, else the one that is in MASTERS, else the
 * first that is no container's. Pure.
 */
export function ownNodeAddress({ IP, NIC, MASTERS }: Pick<ClusterConf, 'IP' | 'NIC' | 'MASTERS'>, all: readonly NicAddress[]): OwnAddress {
  const has =
    all.length === 0 ? 'this machine has none' : `this machine has ${all.map(({ nic, address }) => `${nic} ${address}`).join(', ')}`;
  const found = (own: NicAddress | undefined, why: string): OwnAddress =>
    own === undefined ? { kind: 'wrong', why } : { kind: 'address', own };
  if (IP !== undefined)
    return found(
      all.find(({ address }) => address === IP),
      `IP ${IP} is no address of this machine; ${has}`,
    );
  if (NIC !== undefined)
    return found(
      all.find(({ nic }) => nic === NIC),
      `NIC ${NIC} has no IPv4 address; ${has}`,
    );
  const master = all.find(({ address }) => MASTERS.includes(address));
  return found(master ?? firstOfHost(all), `no address for this node; ${has}. Set NIC or IP in Toots.conf`);
}
