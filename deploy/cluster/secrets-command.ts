import { flag } from '../../daemon/values.ts';
import { command, wrongUsage } from '../command.ts';
import { makeSecrets, readSecrets, writeSecrets } from './make-secrets.ts';
import { consulDomain, datacenter } from './node-context.ts';
import { confOption } from './node-options.ts';
import { confFiles, readClusterConf } from './read-conf.ts';

/** Makes what the nodes of a cluster know and nobody else. */
export const secretsCommand = command(
  {
    name: 'secrets',
    usage: '[--replace]',
    line: 'Makes the gossip key, the certificates and the ACL tokens of a cluster, once, on one master',
    about:
      'Makes the gossip key, the CA with the agents’ certificates, and the ACL tokens, into restricted/secrets.json beside Toots.conf, for its\n' +
      'owner alone. Copy that file to every node as you copy Toots.conf, and over a connection that nobody can read.',
    options: {
      conf: confOption,
      replace: { flag: 'replace', schema: flag(), describe: 'Replaces secrets that are there: every node needs the new ones then' },
    },
  },
  async ({ conf: file, replace }) => {
    const read = await readClusterConf(file, []);
    if (read.kind === 'wrong') return wrongUsage(read.problems, 'toots secrets -help');
    const { secrets: path } = confFiles(file);
    if (!replace && (await readSecrets(path)) !== undefined) {
      process.stdout.write(`${path} is there already, and stays; -replace makes new ones.\n`);
      return 0;
    }
    await writeSecrets(path, await makeSecrets(datacenter(read.conf), consulDomain(read.conf), new AbortController().signal));
    process.stdout.write(`Written: ${path}. Copy it to every node, beside Toots.conf.\n`);
    return 0;
  },
);
