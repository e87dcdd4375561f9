import { type ChosenPorts, choosePorts, type PortUse, type WantedPort } from '../host/port-choice.ts';

/** The ports of a demo, those that people use first. */
export const DEMO_PORTS = [
  { name: 'http', port: 80, instead: [8080, 8000, 8888] },
  { name: 'https', port: 443, instead: [8443, 4443] },
  { name: 'stats', port: 81, instead: [8081, 8181] },
  { name: 'tcp', port: 7007, instead: [7070, 7700] },
  { name: 'consul', port: 8500, instead: [8510, 8520] },
  { name: 'dns', port: 8600, instead: [8610, 8620] },
  { name: 'consul-server', port: 8300, instead: [8310] },
  { name: 'consul-serf', port: 8301, instead: [8311] },
  { name: 'consul-wan', port: 8302, instead: [8312] },
  { name: 'registrator', port: 9181, instead: [9281] },
  { name: 'templater', port: 9182, instead: [9282] },
] as const satisfies readonly WantedPort<string>[];

export type DemoPort = (typeof DEMO_PORTS)[number]['name'];
export type DemoPorts = Readonly<Record<DemoPort, number>>;

/** What a person calls each. */
const PORT_NAMES: Readonly<Record<DemoPort, string>> = {
  http: 'HTTP',
  https: 'HTTPS',
  stats: 'the HAProxy page',
  tcp: 'the TCP example',
  consul: 'Consul',
  dns: 'Consul’s DNS',
  'consul-server': 'Consul’s server',
  'consul-serf': 'Consul’s gossip',
  'consul-wan': 'Consul’s WAN gossip',
  registrator: 'the registrator’s status',
  templater: 'the templater’s status',
};

export async function chooseDemoPorts(look: (port: number) => Promise<PortUse>): Promise<ChosenPorts<DemoPort>> {
  return await choosePorts<DemoPort>(DEMO_PORTS, look);
}

/** A line for each port that could not be had. Pure. */
export function movedPortNotes(moved: ChosenPorts<DemoPort>['moved']): readonly string[] {
  return moved.map(
    ({ name, wanted, got, by }) => `port ${wanted} is taken${by === undefined ? '' : ` by ${by}`}: ${PORT_NAMES[name]} is on ${got}`,
  );
}
