import { resolve } from 'node:path';
import * as v from 'valibot';
import type { Option } from '../../daemon/settings.ts';
import { text } from '../../daemon/values.ts';

/** Where the demo of this machine keeps its files, for all its commands. */
export const runDirOption = {
  flag: 'run-dir',
  env: ['TOOTS_DEMO_DIR'],
  value: 'DIR',
  schema: v.pipe(
    text('/run/toots-demo'),
    v.transform((path) => resolve(path)),
  ),
  describe: 'Folder for the logs, the state and the sockets of the demo; its last part names the containers',
} satisfies Option<string>;
