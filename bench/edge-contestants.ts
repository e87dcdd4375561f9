import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestConsul } from '../test/harness/consul.ts';
import { startEdge } from '../test/harness/edge.ts';
import { freePort } from '../test/harness/free-port.ts';
import { createOwned } from '../test/harness/owned.ts';
import { startProgram } from '../test/harness/program.ts';
import { tempDir } from '../test/harness/temp-dir.ts';

/** Something that serves `NAME.service` of every service with the tag `haproxy`. */
export interface EdgeContestant {
  readonly name: string;
  readonly start: (consul: TestConsul) => Promise<MeasuredEdge>;
}

export interface MeasuredEdge extends AsyncDisposable {
  readonly port: number;
  /** Undefined where nobody counts them. */
  readonly reloads: () => Promise<number | undefined>;
}

const HAPROXY = process.env['TOOTS_HAPROXY'] ?? 'haproxy';
const CONSUL_TEMPLATE = process.env['CONSUL_TEMPLATE'] ?? 'consul-template';

export function toots(haproxy: string = HAPROXY): EdgeContestant {
  return {
    name: 'here',
    start: async (consul) => {
      const edge = await startEdge({ consulUrl: consul.url, args: ['--haproxy', haproxy] });
      return {
        port: edge.ports.http,
        reloads: () => edge.metric('toots_edge_reloads_total'),
        [Symbol.asyncDispose]: edge[Symbol.asyncDispose],
      };
    },
  };
}

/** Undefined where there is none. */
export function consulTemplate(): EdgeContestant | undefined {
  return spawnSync(CONSUL_TEMPLATE, ['-v']).status === 0 ? { name: 'consul-template', start: startConsulTemplate } : undefined;
}

/** The shortest template that does the work, and the quickest way to have it loaded: nothing is checked before. */
async function startConsulTemplate(consul: TestConsul): Promise<MeasuredEdge> {
  const owned = createOwned();
  const { path } = owned.use(await tempDir());
  const port = await freePort();
  const [config, source] = [join(path, 'haproxy.cfg'), join(path, 'haproxy.ctmpl')];
  const head = `global
  stats socket ${join(path, 'haproxy.sock')} level admin expose-fd listeners
  hard-stop-after 30s
  httpclient.ssl.verify none
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option idle-close-on-response
frontend web
  bind 127.0.0.1:${port}`;
  const rules =
    '{{ range services }}{{ if .Tags | contains "haproxy" }}\n  use_backend {{ .Name }} if { hdr(host) -i {{ .Name }}.service }{{ end }}{{ end }}';
  const servers = '{{ range service .Name }}\n  server {{ .ID }} {{ .Address }}:{{ .Port }}{{ end }}';
  await writeFile(config, `${head}\n`);
  await writeFile(
    source,
    `${head}${rules}\n{{ range services }}{{ if .Tags | contains "haproxy" }}\nbackend {{ .Name }}${servers}\n{{ end }}{{ end }}\n`,
  );
  const haproxy = owned.use(await startProgram(HAPROXY, ['-W', '-db', '-f', config]));
  const words = ['-consul-addr', consul.url, '-log-level', 'warn', '-template', `${source}:${config}:kill -USR2 ${haproxy.pid}`];
  owned.use(await startProgram(CONSUL_TEMPLATE, words));
  return { port, reloads: async () => undefined, [Symbol.asyncDispose]: owned[Symbol.asyncDispose] };
}
