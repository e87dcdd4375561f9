import { OperationError } from '../../daemon/operation-error.ts';
import { flag } from '../../daemon/values.ts';
import { command, wrongUsage } from '../command.ts';
import { ownAddresses } from '../host/own-addresses.ts';
import type { ClusterConf } from './conf.ts';
import { findSecrets, makeSecrets, missingOfMaster, writeSecrets } from './make-secrets.ts';
import { consulDomain, datacenter } from './node-context.ts';
import { confOption } from './node-options.ts';
import { ownNodeAddress } from './own-address.ts';
import { confFiles, readClusterConf } from './read-conf.ts';

/** Makes what the nodes of a cluster know and nobody else. */
export const secretsCommand = command(
  {
    name: 'secrets',
    usage: '[--replace]',
    line: 'Makes the gossip key, the certificates and the ACL tokens of a cluster, once, on one master',
    about:
      'Makes the gossip key, the CA with the agents’ certificates, and the ACL tokens, beside Toots.conf, for their owner alone. Copy\n' +
      'restricted/secrets.json to the other masters, and restricted/secrets.nodes.json, which cannot change the cluster, to slaves and edges,\n' +
      'over a connection that nobody can read. restricted/ca-key.pem stays here, or where you keep such things: no node needs it.',
    options: {
      conf: confOption,
      replace: { flag: 'replace', schema: flag(), describe: 'Replaces secrets that are there: every node needs the new ones then' },
    },
  },
  async ({ conf: file, replace }) => {
    const read = await readClusterConf(file, []);
    if (read.kind === 'wrong') return wrongUsage(read.problems, 'toots secrets -help');
    const files = confFiles(file);
    const found = replace ? undefined : await findSecrets(files);
    const missing = found === undefined ? undefined : missingOfMaster(files, found, isMasterHere(read.conf));
    if (missing !== undefined) throw new OperationError('make the secrets', { hint: missing });
    if (found !== undefined) {
      process.stdout.write(`${found.file} is there already, and stays; -replace makes new ones.\n`);
      return 0;
    }
    await writeSecrets(files, await makeSecrets(datacenter(read.conf), consulDomain(read.conf), new AbortController().signal));
    process.stdout.write(
      'Written. Copy them to the same place beside Toots.conf:\n' +
        `  ${files.secrets}        to the other masters\n` +
        `  ${files.nodeSecrets}  to every other node\n` +
        `  ${files.caKey}          nowhere: no node needs it\n`,
    );
    return 0;
  },
);

function isMasterHere(conf: ClusterConf): boolean {
  const found = ownNodeAddress(conf, ownAddresses());
  return found.kind === 'address' && conf.MASTERS.includes(found.own.address);
}
