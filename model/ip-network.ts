import type { Brand } from './brand.ts';
import { ipVersion } from './ip-address.ts';

/** An IP network in CIDR notation, such as `10.0.0.0/8` or `fd00::/8`. */
export type IpNetwork = Brand<string, 'IpNetwork'>;

const REASON = 'it is a network such as 10.0.0.0/8 or fd00::/8, or an IP address';

/** Reads a network; an address alone is the network of itself. The reason why it is none, otherwise. */
export function parseIpNetwork(text: string): { readonly network: IpNetwork } | string {
  const [address = '', bits, ...rest] = text.split('/');
  const version = ipVersion(address);
  if (version === undefined || rest.length > 0) return REASON;
  const most = version === 4 ? 32 : 128;
  if (bits === undefined) return { network: `${address}/${most}` as IpNetwork };
  if (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > most) return `${REASON}; its length is 0 to ${most}`;
  return { network: `${address}/${bits}` as IpNetwork };
}
