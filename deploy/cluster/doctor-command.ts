import { command, wrongUsage } from '../command.ts';
import { findings, findingsText } from './findings.ts';
import { nodeOptions } from './node-options.ts';
import { confFiles } from './read-conf.ts';
import { readMachine } from './read-machine.ts';
import { readContext, readNode } from './read-node.ts';

/** Says what stands in the way of a node. */
export const doctorCommand = command(
  {
    name: 'doctor',
    usage: '[--roles ROLE,…]',
    line: 'What stands in the way of a node here, and what to do about it',
    about:
      'Looks at Docker, Compose, ports, clocks, disk, images, secrets, NFS and firewall, and says what to do about what it finds. It changes\n' +
      'nothing. Exit 1 when something keeps the node from working.',
    options: nodeOptions,
  },
  async (settings) => {
    const read = await readNode(settings);
    if (read.kind === 'wrong') return wrongUsage(read.problems, 'toots doctor -help');
    const { node } = read;
    if (node.answers === undefined) return wrongUsage(['what this node is must be said: -roles'], 'toots doctor -help');
    const context = await readContext(node, node.answers, settings);
    const all = findings(await readMachine(context, confFiles(settings.conf)));
    process.stdout.write(findingsText(all));
    return all.some(({ level }) => level === 'bad') ? 1 : 0;
  },
);
