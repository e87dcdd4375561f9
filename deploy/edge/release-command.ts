import { z } from 'zod';
import { command } from '../command.ts';
import { askTemplater, templaterApi } from './templater-api.ts';

const answer = z.object({ released: z.array(z.string()) });

/** Gives up what the guard holds. */
export const releaseCommand = command(
  {
    name: 'release',
    usage: '[SERVICE]',
    line: 'Lets go of instances that the edge holds as a suspected outage',
    about:
      'Believes Consul again: gives up what this edge holds, of one service or of all, and prints the services. Exit 0 also when nothing was held.',
    options: { api: templaterApi },
    positionals: { least: 0, most: 1 },
  },
  async ({ api }, [service]) => {
    const { released } = answer.parse(await askTemplater(api, 'POST', '/release', service === undefined ? {} : { service }));
    process.stdout.write(released.length === 0 ? 'Nothing was held.\n' : `Released: ${released.join(', ')}\n`);
    return 0;
  },
);
