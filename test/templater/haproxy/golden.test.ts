import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Instance } from '../../../model/instance.ts';
import { createPlanner } from '../../../model/plan-edge.ts';
import { edgeFiles } from '../../../templater/haproxy/edge-settings.ts';
import { createRenderer } from '../../../templater/haproxy/render.ts';
import { aCatalog, anInstance, POLICY } from '../../model/a-catalog.ts';
import { SETTINGS } from './a-plan.ts';

/** A case is a file: the catalog's instances as JSON, a line of dashes, and what is written for HAProxy. `UPDATE_GOLDEN=1` writes them anew. */
const FOLDER = fileURLToPath(new URL('./golden/', import.meta.url));
const DASHES = '\n----\n';

test.each(readdirSync(FOLDER).map((file) => file.replace(/\.txt$/, '')))('%s', (name) => {
  const file = join(FOLDER, `${name}.txt`);
  const [input = '', output] = readFileSync(file, 'utf8').split(DASHES);

  const written = writtenFor(JSON.parse(input), { whole: name === 'whole' });

  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, `${input}${DASHES}${written}`);
  else expect(written).toBe(output);
});

interface Input {
  readonly instances: readonly Partial<Instance>[];
  readonly keys?: Readonly<Record<string, string>>;
  /** Whether the edge has a certificate. */
  readonly https?: boolean;
}

/** What is written, as one text; without the part that is the same for every catalog, unless the whole is wanted. */
function writtenFor({ instances, keys = {}, https = false }: Input, { whole }: { readonly whole: boolean }): string {
  const catalog = aCatalog(instances.map(anInstance), { keys: new Map(Object.entries(keys)) });
  const policy = { ...POLICY, ...(https && { certificates: new Map([['site.pem', { sha1: 'ab', pem: 'pem' }]]) }) };
  const { plan, problems } = createPlanner()(catalog, policy, new Map());
  const rendered = createRenderer(SETTINGS, edgeFiles(SETTINGS.runDir), { version: '2.6', prometheus: true, addsBackends: false })(plan);
  const text = rendered.config();
  const variable = /\n(?=(?:frontend toots:tcp|userlist|backend (?!toots:)).*\n)/.exec(text);
  const config = whole ? text : text.slice(variable === null ? text.length : variable.index + 1);
  return [
    config.trimEnd(),
    '# hosts',
    rendered.hostsMap.trimEnd(),
    ...(rendered.vhostsMap === '' ? [] : ['# virtual hosts', rendered.vhostsMap.trimEnd()]),
    '# paths',
    rendered.pathsMap.trimEnd(),
    '# problems',
    ...problems.map(({ subject, option, value, reason }) => `${subject}${option === undefined ? '' : ` ${option}`} ${value}: ${reason}`),
    '',
  ].join('\n');
}
