import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { OWN_IMAGES } from '../../deploy/cluster/images.ts';
import { PROJECT_FOLDER } from '../harness/program.ts';

/** The stages of our Dockerfile by name, comments and folded lines away. */
async function stages(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = await readFile(join(PROJECT_FOLDER, 'compose/Dockerfile'), 'utf8');
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line !== '');
  const all = new Map<string, string[]>();
  let own: string[] = [];
  for (const line of lines) {
    const name = /^FROM \S+ AS (\S+)$/.exec(line)?.[1];
    if (name !== undefined) {
      own = [];
      all.set(name, own);
    }
    own.push(line);
  }
  return all;
}

test('what is installed leaves no lists behind, and brings nothing that is only recommended', async () => {
  const installs = [...(await stages()).values()].flat().filter((line) => line.includes('apt-get install'));

  expect(installs.length).toBeGreaterThan(3);
  for (const line of installs) {
    expect(line).toMatch(/apt-get update\s+&& apt-get install -y --no-install-recommends /);
    expect(line).toMatch(/apt-get clean\s+&& rm -rf \/var\/lib\/apt\/lists\/\*/);
  }
});

test('each image of ours is a stage with a title, and a user that is not root but for keepalived', async () => {
  const all = await stages();

  for (const name of new Set(Object.values(OWN_IMAGES))) {
    const lines = all.get(name) ?? [];
    expect(lines).toContain(`LABEL org.opencontainers.image.title="toots/${name}"`);
    expect([name, lines.includes('USER toots')]).toEqual([name, name !== 'keepalived']);
  }
});
