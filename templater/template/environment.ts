/** What of the environment a command may see, as consul-template's `exec.env` says it. */
export interface EnvRules {
  /** Nothing of this program's own environment. */
  readonly pristine: boolean;
  /** `NAME=VALUE`, added last. */
  readonly custom: readonly string[];
  /** Names that may be seen, with `*`, `?` and `[…]`; empty for all. */
  readonly allowlist: readonly string[];
  /** Names that may not be seen, whatever the other list says. */
  readonly denylist: readonly string[];
}

export const NO_ENV_RULES: EnvRules = { pristine: false, custom: [], allowlist: [], denylist: [] };

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of a command: of our own what the rules let through, then what we tell of Consul, then what the rules add. Pure. */
export function environmentFor({ pristine, custom, allowlist, denylist }: EnvRules, told: Environment, own: Environment): Environment {
  const isSeen = (name: string) => !pristine && (allowlist.length === 0 || fits(name, allowlist)) && !fits(name, denylist);
  return {
    ...Object.fromEntries(Object.entries(own).filter(([name]) => isSeen(name))),
    ...told,
    ...Object.fromEntries(custom.map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)])),
  };
}

function fits(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => globPattern(pattern)?.test(name) ?? false);
}

/** Undefined for one that is none, such as `[b-a]`: it fits nothing. */
function globPattern(glob: string): RegExp | undefined {
  const source = glob.replace(/\[\^?[^\]]+\]|[\s\S]/g, (part) => {
    if (part.length > 1) return part;
    return part === '*' ? '.*' : part === '?' ? '.' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  try {
    return new RegExp(`^(?:${source})$`, 's');
  } catch {
    return undefined;
  }
}

/** What of the Consul connection commands are told, as consul-template tells it. */
export interface ConsulEnvSource {
  /** The agent's address as text. */
  readonly address: string;
  readonly token: string;
  readonly tokenFile: string;
  readonly auth: string;
  readonly verify: boolean;
}

/** Consul's environment variables for commands, so that `consul` in one asks the same agent. Pure. */
export function consulEnvironment({ address, token, tokenFile, auth, verify }: ConsulEnvSource): Environment {
  return {
    CONSUL_HTTP_ADDR: address,
    ...(token !== '' && { CONSUL_HTTP_TOKEN: token }),
    ...(tokenFile !== '' && { CONSUL_HTTP_TOKEN_FILE: tokenFile }),
    ...(auth !== '' && { CONSUL_HTTP_AUTH: auth }),
    ...(address.startsWith('https:') && { CONSUL_HTTP_SSL: 'true', CONSUL_HTTP_SSL_VERIFY: String(verify) }),
  };
}
