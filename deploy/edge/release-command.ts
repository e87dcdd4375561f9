import * as v from 'valibot';
import { command } from '../command.ts';
import { askTemplater, templaterApi } from './templater-api.ts';

const answer = v.object({ released: v.array(v.string()), unpinned: v.nullable(v.number()) });

/** Gives up what the guard holds. */
export const releaseCommand = command(
  {
    name: 'release',
    usage: '[SERVICE]',
    line: 'Lets go of what the edge holds as a suspected outage, and of a rollback',
    about:
      'Believes Consul again: gives up what this edge holds, of one service or of all, and prints the services. Without a service it also ends a rollback. Exit 0 also when nothing was held.',
    options: { api: templaterApi },
    positionals: { least: 0, most: 1 },
  },
  async ({ api }, [service]) => {
    const { released, unpinned } = v.parse(answer, await askTemplater(api, 'POST', '/release', service === undefined ? {} : { service }));
    if (unpinned !== null) process.stdout.write(`The edge follows Consul again; it was pinned to generation ${unpinned}.\n`);
    if (released.length > 0) process.stdout.write(`Released: ${released.join(', ')}\n`);
    else if (unpinned === null) process.stdout.write('Nothing was held.\n');
    return 0;
  },
);
