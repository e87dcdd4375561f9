import type { CommandEnv } from './run-command.ts';

/** What of the Consul connection commands are told, as consul-template tells it. */
export interface ConsulEnvSource {
  /** The agent's address as text. */
  readonly address: string;
  readonly token: string;
  readonly tokenFile: string;
  readonly auth: string;
  readonly verify: boolean;
}

/** Consul's environment variables for commands, so that `consul` in one asks the same agent. */
export function commandEnv({ address, token, tokenFile, auth, verify }: ConsulEnvSource): CommandEnv {
  return {
    CONSUL_HTTP_ADDR: address,
    ...(token !== '' && { CONSUL_HTTP_TOKEN: token }),
    ...(tokenFile !== '' && { CONSUL_HTTP_TOKEN_FILE: tokenFile }),
    ...(auth !== '' && { CONSUL_HTTP_AUTH: auth }),
    ...(address.startsWith('https:') && { CONSUL_HTTP_SSL: 'true', CONSUL_HTTP_SSL_VERIFY: String(verify) }),
  };
}
