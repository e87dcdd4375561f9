import type { TemplateFunction } from './reader.ts';

/** Functions of consul-template that are not here, with what to do instead. A call says so; `sprig_…` is told by its prefix. */
const ABSENT: Readonly<Record<string, string>> = {
  ...rows(['secret', 'secrets', 'pkiCert'], 'Vault is not supported; let a Vault agent write a file and read it with file()'),
  ...rows(
    ['nomadService', 'nomadServices', 'nomadVar', 'nomadVarExists', 'nomadVarList', 'nomadVarListSafe'],
    'Nomad is not supported; services that Nomad registers in Consul are read with service()',
  ),
  ...rows(['plugin'], 'running programs from a template is not supported; write what it prints to a file or a key, and read that'),
  ...rows(['writeToFile'], 'a template writes its destination alone; use one template a file'),
  ...rows(['partitions', 'peerings', 'exportedServices', 'importedServices'], 'Consul Enterprise and peering lists are not supported'),
  ...rows(['scratch'], 'use {% set name = value %}'),
  ...rows(['executeTemplate'], 'use {% include %}, {% macro %} or {% extends %}'),
  ...rows(['sockaddr'], 'use interfaceAddress("eth0")'),
  ...rows(['spew_dump', 'spew_printf', 'spew_sdump', 'spew_sprintf'], 'use the filter toJSONPretty'),
};

function rows(names: readonly string[], instead: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, instead]));
}

export const absentFunctions: Readonly<Record<string, TemplateFunction>> = Object.fromEntries(
  Object.entries(ABSENT).map(([name, instead]) => [
    name,
    () => {
      throw new Error(`${name}: not available here: ${instead}`);
    },
  ]),
);
