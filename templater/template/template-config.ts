import type { EnvRules } from './environment.ts';

/** One template, as configured: where it comes from, where it goes, and what is done then. */
export interface TemplateConfig {
  readonly source: TemplateSource;
  /** An absolute path. */
  readonly destination: string;
  /** As it was written, for `-dry`; absent for the same. */
  readonly destinationAsGiven: string | undefined;
  readonly createDestDirs: boolean;
  /** Undefined keeps those of the file that is there, 0644 for a new one. */
  readonly perms: number | undefined;
  /** Names or numbers; undefined keeps the owner. */
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** How many earlier versions are kept, `DEST.bak` the newest. */
  readonly backups: number;
  /** Written into the file that is there instead of replacing it. A destination that is a mount point is always written so. */
  readonly inPlace: boolean;
  readonly check: CommandConfig | undefined;
  readonly action: ActionConfig | undefined;
  readonly wait: WaitConfig | undefined;
  readonly errorOnMissingKey: boolean;
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
  readonly sandboxPath: string | undefined;
}

export type TemplateSource =
  | { readonly kind: 'file'; readonly path: string }
  /** Text of the configuration itself; relative paths start in `folder`. */
  | { readonly kind: 'contents'; readonly text: string; readonly folder: string }
  /** A key of Consul's KV store; such a template reads no file. */
  | { readonly kind: 'key'; readonly path: string };

/** A list is run as it is; a text with white space by `sh -c`. */
export interface CommandConfig {
  readonly command: string | readonly string[];
  readonly timeoutMs: number;
  /** What of the environment it may see; absent for all. */
  readonly envRules?: EnvRules;
}

/** How long a command may take unless its configuration says otherwise, milliseconds. */
export const COMMAND_TIMEOUT_MS = 30_000;

/** What is done after the file was written. */
export type ActionConfig =
  | ({
      readonly kind: 'command';
      /** Only one node of the cluster runs it. */
      readonly isForLeader: boolean;
    } & CommandConfig)
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals; readonly pidFile: string };

/** A quiet time, and the most that is waited for one, milliseconds. */
export interface WaitConfig {
  readonly minMs: number;
  readonly maxMs: number;
}

/** What a template is called in status, log and metrics. */
export function templateName({ source, destination }: TemplateConfig): string {
  switch (source.kind) {
    case 'file':
      return source.path;
    case 'key':
      return `key ${source.path}`;
    case 'contents':
      return `contents of ${destination}`;
  }
}

export const TEMPLATE_DEFAULTS = {
  destinationAsGiven: undefined,
  createDestDirs: true,
  perms: undefined,
  user: undefined,
  group: undefined,
  backups: 0,
  inPlace: false,
  check: undefined,
  action: undefined,
  wait: undefined,
  errorOnMissingKey: false,
  trimBlocks: false,
  lstripBlocks: false,
  sandboxPath: undefined,
} as const satisfies Omit<TemplateConfig, 'source' | 'destination'>;
