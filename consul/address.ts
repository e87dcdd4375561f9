/** Where a Consul agent listens. */
export type ConsulAddress =
  | { readonly kind: 'tcp'; readonly tls: boolean; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Consul's own ports when an address names none. */
const DEFAULT_PORT = { plain: 8500, tls: 8501 } as const;

/**
 * Reads an agent's address as our users write it: `HOST:PORT`, `http(s)://…`, `unix://PATH`, and gliderlabs registrator's
 * `consul://HOST:PORT`, `consul-tls://HOST:PORT`, `consul-unix://PATH`. Undefined for anything else. Pure.
 */
export function parseConsulAddress(text: string): ConsulAddress | undefined {
  const unix = /^(?:consul-)?unix:\/\/(\/.+)$/.exec(text);
  if (unix?.[1] !== undefined) return { kind: 'unix', path: unix[1] };
  const match = /^(?:(https?|consul|consul-tls):\/\/)?(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))?(?::(\d{1,5}))?\/?$/.exec(text);
  if (match === null) return undefined;
  const [, scheme, bracketed, name, portText] = match;
  const tls = scheme === 'https' || scheme === 'consul-tls';
  const host = bracketed ?? name ?? '127.0.0.1';
  const port = portText === undefined ? DEFAULT_PORT[tls ? 'tls' : 'plain'] : Number(portText);
  if (text === '' || port < 1 || port > 65_535) return undefined;
  return { kind: 'tcp', tls, host, port };
}

/** The address as text, for logs and status. */
export function showConsulAddress(address: ConsulAddress): string {
  if (address.kind === 'unix') return `unix://${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${address.tls ? 'https' : 'http'}://${host}:${address.port}`;
}
