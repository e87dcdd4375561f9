import { join } from 'node:path';
import { EDGE_FLAGS } from '../edge-flags.ts';
import type { SupervisedProgram } from '../supervise.ts';
import type { DemoPorts } from './demo-ports.ts';
import type { DemoFiles } from './demo-state.ts';

export type DemoProgram = 'consul' | 'registrator' | 'templater';

/** What the command lines of a demo are made of. */
export interface DemoPlan {
  readonly files: DemoFiles;
  readonly ports: DemoPorts;
  /** Where the published ports of the containers are reached: this machine's address. */
  readonly address: string;
  readonly nodeName: string;
  readonly projectFolder: string;
  readonly engineUrl: string;
}

/** Consul's configuration: this machine alone, on loopback, with its page and its DNS. Pure. */
export function consulConfig({ ports, nodeName }: DemoPlan): object {
  return {
    node_name: nodeName,
    bind_addr: '127.0.0.1',
    client_addr: '127.0.0.1',
    log_level: 'INFO',
    disable_update_check: true,
    ui: true,
    ports: {
      http: ports.consul,
      dns: ports.dns,
      server: ports['consul-server'],
      serf_lan: ports['consul-serf'],
      serf_wan: ports['consul-wan'],
      grpc: -1,
    },
  };
}

/** The programs of a demo in the order of their start. HAProxy is the templater's to start. Pure. */
export function demoPrograms(plan: DemoPlan): readonly SupervisedProgram<DemoProgram>[] {
  const { files, ports, address, projectFolder, engineUrl } = plan;
  const consul = `127.0.0.1:${ports.consul}`;
  const own = (program: string) => join(projectFolder, 'dist/programs', `${program}.cjs`);
  return [
    { name: 'consul', file: 'consul', args: ['agent', '-dev', '-config-file', files.consulConfig] },
    {
      name: 'registrator',
      file: process.execPath,
      args: [
        own('registrator'),
        ...['-ip', address],
        ...['--docker', engineUrl],
        ...['--api', `127.0.0.1:${ports.registrator}`],
        `consul://${consul}`,
      ],
    },
    {
      name: 'templater',
      file: process.execPath,
      args: [
        ...[...EDGE_FLAGS, own('templater'), '--edge'],
        ...['--consul', `http://${consul}`],
        ...['--run-dir', files.edge],
        ...['--bind', '0.0.0.0'],
        ...['--http-port', `${ports.http}`],
        ...['--https-port', `${ports.https}`],
        ...['--stats-port', `${ports.stats}`],
        ...['--domain', 'consul'],
        ...['--api', `127.0.0.1:${ports.templater}`],
      ],
    },
  ];
}
