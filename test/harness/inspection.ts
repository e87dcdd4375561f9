/** A container as a test describes it; everything has a default. */
export interface InspectedContainer {
  readonly id?: string;
  readonly name?: string;
  readonly image?: string;
  readonly imageId?: string;
  readonly created?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** `80/tcp` → bindings `8080`, `127.0.0.1:8080`, `[::]:8080`; none for a port that is exposed alone. */
  readonly ports?: Readonly<Record<string, readonly string[]>>;
  /** Exposed on a network that publishes nothing (host, macvlan, another container's). */
  readonly exposed?: readonly string[];
  readonly networkMode?: string;
  readonly networks?: Readonly<Record<string, string>>;
  readonly hostname?: string;
  readonly state?: 'running' | 'paused' | 'restarting' | 'exited';
  readonly exitCode?: number;
  readonly startedAt?: string;
  readonly health?: 'starting' | 'healthy' | 'unhealthy';
  readonly stopSignal?: string;
  readonly stopTimeout?: number;
}

/** What `GET /containers/ID/json` answers for it. */
export function inspection(given: InspectedContainer = {}) {
  const { id = 'c'.repeat(64), name = 'web1', image = 'team/web:1', imageId = `sha256:${'e'.repeat(64)}`, state = 'running' } = given;
  const {
    ports = given.exposed === undefined ? { '80/tcp': ['8080'] } : {},
    networkMode = 'bridge',
    networks = { bridge: '172.17.0.2' },
  } = given;
  return {
    Id: id,
    Name: `/${name}`,
    Image: imageId,
    Created: given.created ?? '2026-01-01T00:00:00.5Z',
    State: {
      Running: state !== 'exited',
      Paused: state === 'paused',
      Restarting: state === 'restarting',
      ExitCode: given.exitCode ?? 0,
      StartedAt: given.startedAt ?? '2026-01-01T00:00:01.123456789Z',
      ...(given.health !== undefined && { Health: { Status: given.health } }),
    },
    Config: {
      Hostname: given.hostname ?? id.slice(0, 12),
      Image: image,
      Env: Object.entries(given.env ?? {}).map(([key, value]) => `${key}=${value}`),
      Labels: given.labels ?? {},
      ExposedPorts: Object.fromEntries([...Object.keys(ports), ...(given.exposed ?? [])].map((port) => [port, {}])),
      ...(given.stopSignal !== undefined && { StopSignal: given.stopSignal }),
      ...(given.stopTimeout !== undefined && { StopTimeout: given.stopTimeout }),
    },
    HostConfig: { NetworkMode: networkMode },
    NetworkSettings: {
      Ports: Object.fromEntries(
        Object.entries(ports).map(([port, bindings]) => [port, bindings.length === 0 ? null : bindings.map(binding)]),
      ),
      Networks: Object.fromEntries(Object.entries(networks).map(([network, address]) => [network, { IPAddress: address }])),
    },
  };
}

function binding(text: string): { HostIp: string; HostPort: string } {
  const end = text.lastIndexOf(':');
  return { HostIp: end < 0 ? '0.0.0.0' : text.slice(0, end).replace(/[[\]]/g, ''), HostPort: text.slice(end + 1) };
}
