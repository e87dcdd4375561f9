import * as v from 'valibot';
import { mapOf } from '../daemon/fields.ts';

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

const text = v.nullish(v.string());
const texts = v.nullish(mapOf(v.string()));

const inspection = v.object({
  Id: v.string(),
  Name: v.string(),
  Image: v.string(),
  Created: v.string(),
  State: v.object({
    Running: v.boolean(),
    Paused: v.optional(v.boolean(), false),
    Restarting: v.optional(v.boolean(), false),
    ExitCode: v.optional(v.number(), 0),
    StartedAt: v.string(),
    Health: v.nullish(v.object({ Status: v.string() })),
  }),
  Config: v.object({
    Image: v.string(),
    Env: v.nullish(v.array(v.string())),
    Labels: texts,
    ExposedPorts: v.nullish(mapOf(v.unknown())),
    StopSignal: text,
    StopTimeout: v.nullish(v.number()),
  }),
  HostConfig: v.object({ NetworkMode: v.optional(v.string(), 'default') }),
  NetworkSettings: v.object({
    Ports: v.nullish(mapOf(v.nullable(v.array(v.object({ HostIp: v.optional(v.string(), ''), HostPort: v.string() }))))),
    Networks: v.nullish(mapOf(v.nullable(v.object({ IPAddress: text, GlobalIPv6Address: text })))),
  }),
});

const DEFAULT_STOP_TIMEOUT_S = 10;

/** Reads what `GET /containers/ID/json` answered, of any engine. @throws ValiError when it is something else. */
export function parseContainer(json: unknown, { keepsInspection = false } = {}): Container {
  const { Id, Name, Image, Created, State, Config, HostConfig, NetworkSettings } = v.parse(inspection, json);
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

function parseState(state: v.InferOutput<typeof inspection>['State']): ContainerState {
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
