import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import fc from 'fast-check';
import { readSettings } from '../../daemon/settings.ts';
import type { EdgePlan } from '../../model/edge.ts';
import { EDGE_OPTIONS, type EdgeOption } from '../../model/edge-options.ts';
import { createPlanner, type LastGood } from '../../model/plan-edge.ts';
import { prepareRunDir } from '../../templater/haproxy/config-files.ts';
import { edgeFiles, edgeSettings } from '../../templater/haproxy/edge-settings.ts';
import { checkConfig, readFeatures } from '../../templater/haproxy/haproxy-binary.ts';
import { createRenderer } from '../../templater/haproxy/render.ts';
import { createValidConfig } from '../../templater/haproxy/valid-config.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { aCatalog, anInstance, POLICY } from '../model/a-catalog.ts';

/** How many tag sets are tried, of which seed; all ten thousand with `TOOTS_TAG_SETS=10000`. */
const TAG_SETS = Number(process.env['TOOTS_TAG_SETS'] ?? 1_000);
const SEED = Number(process.env['TOOTS_SEED'] ?? 5);
const IN_ONE_FILE = 250;
const HAPROXY = process.env['TOOTS_HAPROXY'] ?? 'haproxy';

jest.setTimeout(600_000);

let folder: Awaited<ReturnType<typeof tempDir>>;
let certificates: EdgePlan['certificates'];

beforeAll(async () => {
  folder = await tempDir();
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=a.test'];
  const [key, certificate] = [join(folder.path, 'key'), join(folder.path, 'certificate')];
  await execa('openssl', [...words, '-keyout', key, '-out', certificate]);
  certificates = new Map([['a.pem', { sha1: 'AB', pem: `${await readFile(certificate, 'utf8')}${await readFile(key, 'utf8')}` }]]);
});

afterAll(async () => {
  await folder?.[Symbol.asyncDispose]();
});

const HASH = '$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA';
/** Values that parse, the strangest among them. */
const GOOD: Record<keyof typeof EDGE_OPTIONS, readonly string[]> = {
  vhost: ['a.test', '*.a.test', 'B-_.Test', '*.a.b.c.d.e.f.g.h', `${'x'.repeat(63)}.test`, 'c.test,*.d.test'],
  route: ['/', '/a', "/-._~!$&'()*+,;=:@%2F", "/'''''", `/${"'".repeat(1_023)}`, '/$HOME', '//', '/a;b&c', '/--', '/-f'],
  tcp: ['1', '65535', '05432', '20000'],
  strip: ['/a', "/it's", '/%25', '/%2F%20', `/${'$'.repeat(1_023)}`, '//', '/-f', '/(,)', `/${"'".repeat(1_023)}`],
  user: [`bob:${HASH}`, `a.b@c-d_e:${HASH}`, `al:$2b$08$${'/'.repeat(53)}`, `-m:${HASH}`, `password:${HASH}`],
  network: ['10.0.0.0/8', '::/0', '::ffff:1.2.3.4', '0.0.0.0/0,::1', '255.255.255.255'],
  balance: ['roundrobin', 'leastconn', 'random', 'source', 'uri', 'first'],
  check: ['/', 'HEAD /x?y=1', "OPTIONS /it's$(x)", `GET /${"'".repeat(1_000)}`, '/%25'],
  redirect: ['https'],
  sticky: ['', 'true', 'false', 'variant'],
  priority: ['0', '-1000', '+5', '99999'],
  weight: ['0', '256', '300', '-1'],
  maxConnections: ['1', '65535', '-5'],
  backup: ['', 'true', 'false'],
};
/** None of these may stand in any value. */
const poison = fc.constantFrom(
  '\n',
  '\r\n',
  '\t',
  '"',
  '\\',
  ' ',
  ' {',
  '\u0000',
  '\u0007',
  'é',
  '😀',
  '`',
  '<',
  '{{',
  '{% x %}',
  '\u2028',
  '%[',
  '|',
);
const words = fc.constantFrom(
  ...[
    'server evil 127.0.0.1:1',
    'backend x',
    'global',
    'if TRUE',
    '# ',
    '$(id)',
    `$\{HOME}`,
    "'",
    "'\\''",
    '/a',
    '%[env(HOME)]',
    'x'.repeat(5_000),
    '__proto__',
  ],
);
const hostile = fc
  .tuple(fc.oneof(words, fc.string(), fc.constant('/')), poison, fc.oneof(words, fc.string()))
  .map((parts) => parts.join(''));

interface Tag {
  readonly text: string;
  readonly isGood: boolean;
}
const options: readonly [keyof typeof EDGE_OPTIONS, EdgeOption<unknown>][] = Object.entries(EDGE_OPTIONS) as never;
const spelled = fc.constantFrom(...options).chain(([name, { tags }]) => fc.constantFrom(...tags).map((tag) => ({ name, tag })));
const goodTag = spelled.chain(({ name, tag }) =>
  fc.constantFrom(...GOOD[name]).map((value): Tag => ({ text: `${tag}=${value}`, isGood: true })),
);
const badTag = spelled.chain(({ tag }) => hostile.map((value): Tag => ({ text: `${tag}=${value}`, isGood: false })));
const strangeTag = hostile.map((text): Tag => ({ text: `haproxy_${text}`, isGood: false }));
const othersTag = hostile.map((text): Tag => ({ text: `x${text}`, isGood: true }));
const tagSet = fc.array(fc.oneof({ weight: 6, arbitrary: goodTag }, badTag, strangeTag, othersTag), { maxLength: 8 });
const KEYS = ['maxconn', 'weights', 'auth'] as const;
const service = fc.record({
  sets: fc.array(tagSet, { minLength: 1, maxLength: 2 }),
  id: fc.oneof(fc.constant('i'), hostile),
  key: fc.option(fc.tuple(fc.constantFrom(...KEYS), hostile), { freq: 12, nil: undefined }),
});
type Generated = typeof service extends fc.Arbitrary<infer Value> ? Value : never;

test(`HAProxy takes what is made of ${TAG_SETS} tag sets, valid and hostile, and every service with a bad one is named`, async () => {
  const sets = fc.sample(service, { numRuns: TAG_SETS, seed: SEED });
  let lastGood: LastGood = new Map();

  for (let start = 0; start < sets.length; start += IN_ONE_FILE)
    lastGood = await tryInOneFile(sets.slice(start, start + IN_ONE_FILE), start, lastGood);
});

async function tryInOneFile(sets: readonly Generated[], start: number, lastGood: LastGood): Promise<LastGood> {
  const settings = settingsOf(folder.path);
  const files = edgeFiles(settings.runDir);
  await prepareRunDir(settings.runDir, files);
  for (const [name, { pem }] of certificates) await writeFile(files.certificate(name), pem);
  const named = sets.map((one, i) => ({ ...one, name: `s${start + i}` }));
  const catalog = aCatalog(
    named.flatMap(({ name, sets: ofInstances, id }) =>
      ofInstances.map((tags, i) => anInstance({ service: name, id: `${id}${i}`, tags: ['haproxy', ...tags.map(({ text }) => text)] })),
    ),
    { keys: new Map(named.flatMap(({ name, key }) => (key === undefined ? [] : [[`haproxy/${name}/${key[0]}`, key[1]]]))) },
  );
  const withHttps = (start / IN_ONE_FILE) % 2 === 0;
  const planned = createPlanner()(catalog, { ...POLICY, ...(withHttps && { certificates }) }, lastGood);
  const renderer = createRenderer(settings, files, await readFeatures(HAPROXY, AbortSignal.timeout(60_000)));
  const config = createValidConfig(settings, renderer, () => undefined);

  const valid = await config.keep(config.render(planned.plan), AbortSignal.timeout(60_000));
  await checkConfig(HAPROXY, files.config, AbortSignal.timeout(60_000));

  expect(config.problems()).toEqual([]);
  expect(valid.plan.groups.size).toBe(planned.plan.groups.size);
  const written = await readFile(files.config, 'utf8');
  expect(strangeLines(written)).toEqual([]);
  expect([...written.matchAll(/^backend (?!toots:)/gm)]).toHaveLength(planned.plan.groups.size);
  const subjects = new Set(planned.problems.map(({ subject }) => subject));
  const bad = named.filter(({ sets: ofInstances, key }) => key !== undefined || ofInstances.flat().some(({ isGood }) => !isGood));
  expect(bad.filter(({ name }) => !subjects.has(name))).toEqual([]);
  return planned.lastGood;
}

/** First words of lines that nothing but an injected text could have brought, or lines without our indentation. */
function strangeLines(config: string): string[] {
  const lines = config.split('\n').slice(config.split('\n').findIndex((line) => line.startsWith('frontend toots:stats')));
  return lines.filter(
    (line) =>
      !/^(?:(?:frontend toots:|backend |userlist )\S+(?: from toots:(?:http|tcp))?)?$/.test(line) &&
      !/^ {4}(?:bind 0\.0\.0\.0:\d+ name|default_backend|balance|hash-type|default-server|server \S+ 10\.0\.0\.1:8080 weight|option httpchk$|http-check send|acl toots:allowed src|http-request|http-response|http-after-response|use-server|tcp-request content reject|cookie|dynamic-cookie-key|user|stats) ?/.test(
        line,
      ),
  );
}

function settingsOf(runDir: string) {
  const parsed = readSettings({ name: 'test', usage: '', about: '', options: edgeSettings }, ['-run-dir', runDir, '-haproxy', HAPROXY], {});
  if (parsed.kind !== 'settings') throw new Error(JSON.stringify(parsed));
  return parsed.settings;
}
