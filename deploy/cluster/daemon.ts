/** The daemons that a node may run, in the order of their start. */
export const DAEMONS = [
  'consul',
  'dnsmasq',
  'zookeeper',
  'mesos-master',
  'marathon',
  'chronos',
  'mesos-slave',
  'registrator',
  'templater',
  'haproxy',
  'vip-templater',
  'keepalived',
] as const;
export type DaemonName = (typeof DAEMONS)[number];

/** A file or folder of the host, or a named volume, in a container. */
export interface Mount {
  readonly from: string;
  readonly to: string;
  readonly writable?: true;
}

/** One container of a node, all on the host's network. */
export interface Daemon {
  readonly name: DaemonName;
  readonly image: string;
  /** The program, where it is not the image's own. */
  readonly entrypoint?: readonly string[];
  /** Its words: what X_PARAMS of Toots.conf adds to, and X_APP_PARAMS stands instead of. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** Folders in memory; the rest of the root is read-only unless `writableRoot`. */
  readonly tmpfs?: readonly string[];
  readonly writableRoot?: true;
  readonly user?: string;
  readonly groups?: readonly string[];
  /** Capabilities; there are no others. */
  readonly capabilities?: readonly string[];
  /** For Mesos' agent alone, which starts containers of its own. */
  readonly privileged?: true;
  readonly hostPids?: true;
  /** A check of ours for an image that has none. */
  readonly healthCheck?: readonly string[];
  readonly stopSignal?: string;
  /** How long it may take to end, seconds. */
  readonly stopGraceS: number;
  /** Most memory, as Docker writes it. */
  readonly memory: string;
}

/** A file that daemons read, below the state folder. */
export interface NodeFile {
  /** Relative to the state folder. */
  readonly path: string;
  readonly text: string;
  /** Whether only its daemon may read it. */
  readonly secret: boolean;
  /** Which daemons have to be started anew when it changes. */
  readonly readBy: readonly DaemonName[];
}

/** Everything that a node should run, as a value. */
export interface NodePlan {
  readonly daemons: readonly Daemon[];
  readonly files: readonly NodeFile[];
}
