import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { freePorts } from './free-port.ts';
import { type RunningProgram, startProgram } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

export interface ConsulOptions {
  /** The agent's node; `test` unless said. */
  readonly node?: string;
  /** `dc1` unless said. */
  readonly datacenter?: string;
  /** A server with a data folder, whose catalog and index survive `restart`; slower to elect itself. Without it, all is in memory. */
  readonly keepsData?: boolean;
  /** Listens for HTTPS as well, with a certificate of a CA of its own. */
  readonly https?: boolean;
  /** Added to the agent's configuration, such as `{ acl: { … } }`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface TestConsul extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly httpPort: number;
  readonly dnsPort: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `https://127.0.0.1:PORT`; only with `https`. */
  readonly httpsUrl: string;
  /** The CA's certificate; only with `https`. */
  readonly caFile: string;
  readonly output: () => string;
  /** A request to its API with a JSON body; answers the JSON, null for nothing. @throws Error for a status other than 2xx. */
  readonly ask: (method: 'GET' | 'PUT' | 'DELETE', path: string, body?: unknown) => Promise<unknown>;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Ends it, gracefully or by KILL. */
  readonly stop: () => Promise<void>;
  readonly kill: () => Promise<void>;
  /** Ends it if it runs, starts it on the same ports, waits for its leader. Empty again unless it `keepsData`, or with `wiped`. */
  readonly restart: (how?: { readonly wiped?: boolean }) => Promise<void>;
}

/** A real `consul agent` of its own on private loopback ports, with a leader. */
export async function startConsul(options: ConsulOptions = {}): Promise<TestConsul> {
  const { node = 'test' } = options;
  const folder = await tempDir();
  const [httpPort = 0, httpsPort = 0, dnsPort = 0, serfPort = 0, wanPort = 0, serverPort = 0] = await freePorts(6);
  const ports = {
    http: httpPort,
    https: options.https ? httpsPort : -1,
    dns: dnsPort,
    grpc: -1,
    serf_lan: serfPort,
    serf_wan: wanPort,
    server: serverPort,
  };
  const url = `http://127.0.0.1:${httpPort}`;
  const dataFolder = join(folder.path, 'data');
  const caFile = join(folder.path, 'consul-agent-ca.pem');
  const certificates = options.https ? await createCertificates(folder.path) : {};
  await writeFile(join(folder.path, 'agent.json'), JSON.stringify({ ports, ...settingsOf(options), ...certificates, ...options.config }));

  let agent: RunningProgram | undefined;
  const start = async () => {
    await mkdir(dataFolder, { recursive: true });
    const mode = options.keepsData ? ['-server', '-bootstrap-expect=1', '-data-dir', dataFolder] : ['-dev'];
    const common = ['-bind=127.0.0.1', '-client=127.0.0.1', `-node=${node}`, '-config-file', join(folder.path, 'agent.json')];
    agent = await startProgram('consul', ['agent', ...mode, ...common]);
    await until(() => hasLeader(url, node, agent), 20_000, `Consul on ${url} has a leader`).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${agent?.output()}`, { cause: error });
    });
  };
  const stop = async () => {
    await agent?.stop();
  };
  const kill = async () => {
    agent?.signal('SIGKILL');
    await agent?.ended;
  };
  await start();
  return {
    host: '127.0.0.1',
    httpPort,
    dnsPort,
    url,
    httpsUrl: `https://127.0.0.1:${httpsPort}`,
    caFile,
    output: () => agent?.output() ?? '',
    ask: (method, path, body) => ask(url, method, path, body),
    signal: (name) => agent?.signal(name),
    stop,
    kill,
    restart: async ({ wiped = false } = {}) => {
      await stop();
      if (wiped) await rm(dataFolder, { recursive: true, force: true });
      await start();
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Raft as fast as it goes, and no telemetry home. */
function settingsOf({ datacenter = 'dc1' }: ConsulOptions): object {
  return { datacenter, disable_update_check: true, performance: { raft_multiplier: 1 }, log_level: 'INFO', leave_on_terminate: false };
}

/** Consul's own tool makes a CA and a server's certificate for 127.0.0.1. */
async function createCertificates(folder: string): Promise<object> {
  await execa('consul', ['tls', 'ca', 'create'], { cwd: folder });
  await execa('consul', ['tls', 'cert', 'create', '-server', '-additional-ipaddress=127.0.0.1'], { cwd: folder });
  return {
    cert_file: join(folder, 'dc1-server-consul-0.pem'),
    key_file: join(folder, 'dc1-server-consul-0-key.pem'),
    ca_file: join(folder, 'consul-agent-ca.pem'),
  };
}

async function hasLeader(url: string, node: string, agent: RunningProgram | undefined): Promise<boolean> {
  if (agent?.hasEnded()) throw new Error('the agent has ended');
  const leader = await ask(url, 'GET', '/v1/status/leader');
  // The leader knows itself a moment before the agent's own node is in the catalog.
  const nodes = await ask(url, 'GET', `/v1/health/node/${node}`);
  return typeof leader === 'string' && leader !== '' && Array.isArray(nodes) && nodes.length > 0;
}

async function ask(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}${path}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`Consul ${method} ${path}: ${response.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}
