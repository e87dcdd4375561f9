const ABSENT: readonly (readonly [flags: RegExp, why: string])[] = [
  [/^vault-/, 'Vault is not supported: let a Vault agent write files, and read them with file()'],
  [/^nomad-/, 'Nomad is not supported; services that Nomad registers in Consul are read with service()'],
  [/^(syslog|log-file|log-rotate)/, 'the log goes to stderr'],
];

/** Why a flag of consul-template's is none here; undefined for others. Pure. */
export function whyAbsent(flag: string): string | undefined {
  return ABSENT.find(([flags]) => flags.test(flag))?.[1];
}
