import { command, wrongUsage } from '../command.ts';
import { isGeneration, notGeneration } from './history-command.ts';
import { askTemplater, templaterApi } from './templater-api.ts';

/** Takes the edge back to a generation. */
export const rollbackCommand = command(
  {
    name: 'rollback',
    usage: 'GENERATION',
    line: 'Takes the edge back to a generation, until toots release',
    about:
      'Pins this edge to the hosts, paths, ports, options and weights of a generation, whatever Consul says of them, until toots release. Instances are still followed: those that are gone get nothing, those that came to a service of that generation serve it. Services that came later are not served meanwhile.',
    options: { api: templaterApi },
    positionals: { least: 1, most: 1 },
  },
  async ({ api }, [generation = '']) => {
    if (!isGeneration(generation)) return wrongUsage([notGeneration(generation)], 'toots rollback -help');
    await askTemplater(api, 'POST', '/rollback', { generation });
    process.stdout.write(`The edge is pinned to generation ${generation}; toots release lets it follow Consul again.\n`);
    return 0;
  },
);
