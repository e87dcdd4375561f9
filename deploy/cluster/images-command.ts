import { live } from '../../daemon/live.ts';
import { VERSION } from '../../daemon/version.ts';
import { command } from '../command.ts';
import { ensureEngine } from '../host/docker-engine.ts';
import { createProgress, STDOUT } from '../progress.ts';
import { buildOwnImages } from './node-images.ts';

/** Builds our images, to be pushed to a registry or carried to other nodes. */
export const imagesCommand = command(
  {
    name: 'images',
    usage: '',
    line: 'Builds our container images from this clone',
    about: 'Builds the images that our daemons run in, from this clone and Debian’s packages. up does it by itself where they are missing.',
    options: {},
  },
  async () =>
    await live(async (signal) => {
      const progress = createProgress(STDOUT);
      await ensureEngine('/var/log/toots', signal);
      const images = await buildOwnImages(VERSION, progress, signal);
      process.stdout.write(`${images.join('\n')}\n`);
      return 0;
    }),
);
