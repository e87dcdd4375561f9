import { z } from 'zod';

/** A container as its inspection tells it: what a registrator needs to know, whatever the engine's version. */
export interface Container {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** As it was asked for: `repo/name:tag`, with a digest, or an image's ID. */
  readonly image: string;
  /** `sha256:…` */
  readonly imageId: string;
  readonly createdMs: number;
  /** `KEY=value`, in order. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** EXPOSE and `--expose`: `80/tcp`. */
  readonly exposed: readonly string[];
  /** `bridge`, `host`, `none`, `container:ID` or a network's name. */
  readonly networkMode: string;
  /** By `80/tcp`; empty for a port that is not published. Ports of a network without publishing are not there at all. */
  readonly bindings: ReadonlyMap<string, readonly Binding[]>;
  readonly networks: readonly Attachment[];
  readonly state: ContainerState;
  /** The signal that stops it: a name or a number. */
  readonly stopSignal: string;
  /** How long it may take to stop, milliseconds; infinite where it may take for ever. */
  readonly stopTimeoutMs: number;
  /** The whole inspection, where templates over it are in use. */
  readonly inspection?: unknown;
}

export interface Binding {
  readonly hostIp: string;
  readonly hostPort: number;
}

/** A network that a container is on, and its address there. */
export interface Attachment {
  readonly network: string;
  readonly address: string;
}

export interface ContainerState {
  /** Its process is there; false while a restart policy waits to start it again. */
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  readonly exitCode: number;
  /** By the engine's clock. */
  readonly startedAtMs: number;
  /** Docker's HEALTHCHECK; absent where there is none. */
  readonly health?: DockerHealth;
}

export type DockerHealth = 'starting' | 'healthy' | 'unhealthy';

const text = z.string().nullish();
const texts = z.record(z.string(), z.string()).nullish();

const inspection = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  Created: z.string(),
  State: z.object({
    Running: z.boolean(),
    Paused: z.boolean().default(false),
    Restarting: z.boolean().default(false),
    ExitCode: z.number().default(0),
    StartedAt: z.string(),
    Health: z.object({ Status: z.string() }).nullish(),
  }),
  Config: z.object({
    Image: z.string(),
    Env: z.array(z.string()).nullish(),
    Labels: texts,
    ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
    StopSignal: text,
    StopTimeout: z.number().nullish(),
  }),
  HostConfig: z.object({ NetworkMode: z.string().default('default') }),
  NetworkSettings: z.object({
    Ports: z.record(z.string(), z.array(z.object({ HostIp: z.string().default(''), HostPort: z.string() })).nullable()).nullish(),
    Networks: z.record(z.string(), z.object({ IPAddress: text, GlobalIPv6Address: text }).nullable()).nullish(),
  }),
});

const DEFAULT_STOP_TIMEOUT_S = 10;

/** Reads what `GET /containers/ID/json` answered, of any engine. @throws ZodError when it is something else. */
export function parseContainer(json: unknown, { keepsInspection = false } = {}): Container {
  const { Id, Name, Image, Created, State, Config, HostConfig, NetworkSettings } = inspection.parse(json);
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    image: Config.Image,
    imageId: Image,
    createdMs: Date.parse(Created),
    env: Config.Env ?? [],
    labels: Config.Labels ?? {},
    exposed: Object.keys(Config.ExposedPorts ?? {}),
    networkMode: HostConfig.NetworkMode,
    bindings: new Map(Object.entries(NetworkSettings.Ports ?? {}).map(([port, bindings]) => [port, (bindings ?? []).map(parseBinding)])),
    networks: Object.entries(NetworkSettings.Networks ?? {}).flatMap(([network, attached]) => {
      const address = attached?.IPAddress || attached?.GlobalIPv6Address;
      return address ? [{ network, address }] : [];
    }),
    state: parseState(State),
    stopSignal: Config.StopSignal || 'SIGTERM',
    stopTimeoutMs: stopTimeoutMs(Config.StopTimeout ?? DEFAULT_STOP_TIMEOUT_S),
    ...(keepsInspection && { inspection: json }),
  };
}

function parseBinding({ HostIp, HostPort }: { HostIp: string; HostPort: string }): Binding {
  return { hostIp: HostIp, hostPort: Number(HostPort) };
}

function parseState(state: z.infer<typeof inspection>['State']): ContainerState {
  const health = state.Health?.Status;
  return {
    isRunning: state.Running && !state.Restarting,
    isPaused: state.Paused,
    exitCode: state.ExitCode,
    startedAtMs: Date.parse(state.StartedAt),
    ...((health === 'starting' || health === 'healthy' || health === 'unhealthy') && { health }),
  };
}

/** The engine waits for ever where the timeout is negative. */
function stopTimeoutMs(seconds: number): number {
  return seconds < 0 ? Number.POSITIVE_INFINITY : seconds * 1_000;
}
