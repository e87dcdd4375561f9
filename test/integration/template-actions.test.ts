import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dueMarker } from '../../templater/template/due-marker.ts';
import type { TemplateConfig } from '../../templater/template/template-config.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { putKey } from '../harness/consul-data.ts';
import { startProgram } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { startEngine } from '../harness/template-engine.ts';
import { until } from '../harness/until.ts';

let consul: TestConsul;
let folder: Awaited<ReturnType<typeof tempDir>>;
let count = 0;
beforeAll(async () => {
  consul = await startConsul();
  folder = await tempDir();
}, 30_000);
afterAll(async () => {
  await consul?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

type Parts = Partial<TemplateConfig> & Pick<TemplateConfig, 'source' | 'destination'>;

/** A template of a key of its own. */
function keyed(more: Partial<TemplateConfig> = {}): Parts & { readonly key: string } {
  const key = `k${++count}`;
  return {
    source: { kind: 'contents', text: `{{ key("${key}") }}`, folder: folder.path },
    destination: join(folder.path, `out-${key}`),
    key,
    ...more,
  };
}

function command(text: string): TemplateConfig['action'] {
  return { kind: 'command', command: text, timeoutMs: 5_000, isForLeader: false };
}

const textOf = (path: string) => readFile(path, 'utf8').catch(() => undefined);
const runsOf = async (path: string) => ((await textOf(path)) ?? '').split('\n').length - 1;
const holds = (path: string, text: string) =>
  until(async () => (await textOf(path)) === text, 8_000, `${path} holds ${JSON.stringify(text)}`);

test('a command that failed is run again until it succeeds, without another change', async () => {
  const mark = join(folder.path, 'fail-once');
  const one = keyed({ action: command(`test -e ${mark} && echo ran > ${mark}.ran || { touch ${mark}; false; }`) });
  await putKey(consul, one.key, '1');
  await using running = startEngine(consul.url, [one]);

  await until(() => running.problems().some(({ option }) => option === 'command'), 8_000, 'the failure is told');
  await holds(`${mark}.ran`, 'ran\n');
  await until(() => running.problems().length === 0, 8_000, 'the problem is over');
  expect(await textOf(dueMarker(one.destination))).toBeUndefined();
}, 20_000);

test('a command that was cut off is run again by the next run, though the file is right', async () => {
  const runs = join(folder.path, 'cut-off');
  const one = keyed({ action: command(`echo run >> ${runs}; sleep 30`) });
  await putKey(consul, one.key, '1');
  {
    await using _ = startEngine(consul.url, [one]);
    await until(async () => (await runsOf(runs)) === 1, 8_000, 'the command started');
  }

  await using _ = startEngine(consul.url, [{ ...one, action: command(`echo again >> ${runs}`) }]);
  await holds(runs, 'run\nagain\n');
  await until(async () => (await textOf(dueMarker(one.destination))) === undefined, 8_000, 'nothing is due');
}, 20_000);

test('a file that is right already runs no command', async () => {
  const runs = join(folder.path, 'right');
  const one = keyed({ action: command(`echo run >> ${runs}`) });
  await putKey(consul, one.key, '1');
  await writeFile(one.destination, '1');
  await using running = startEngine(consul.url, [one]);

  await running.engine.allDone(AbortSignal.timeout(5_000));
  expect(await textOf(runs)).toBeUndefined();
  await putKey(consul, one.key, '2');
  await holds(runs, 'run\n');
});

test('50 changes in a second, three templates, one command: few runs, and the last state is the one it sees', async () => {
  const runs = join(folder.path, 'storm');
  const key = `k${++count}`;
  const three = [1, 2, 3].map(
    (at): Parts => ({
      source: { kind: 'contents', text: `${at}:{{ key("${key}") }}`, folder: folder.path },
      destination: join(folder.path, `storm-${at}`),
      action: command(`cat ${join(folder.path, 'storm-1')} >> ${runs}; echo >> ${runs}`),
    }),
  );
  await putKey(consul, key, '0');
  await using running = startEngine(consul.url, three);
  await holds(runs, '1:0\n');

  const startedAt = performance.now();
  for (let at = 1; at <= 50; at++) await putKey(consul, key, String(at));
  const tookMs = performance.now() - startedAt;
  await until(async () => (await textOf(runs))?.endsWith('1:50\n'), 8_000, 'the last state was seen');
  await running.engine.allDone(AbortSignal.timeout(5_000));

  expect(await runsOf(runs)).toBeLessThanOrEqual(3 + Math.floor(tookMs / 1_000));
}, 20_000);

test('a command runs once for all that share it: at a start, though their answers come one after the other, and at a change', async () => {
  const runs = join(folder.path, 'shared');
  const action = command(`echo run >> ${runs}`);
  const late = keyed({ action });
  await putKey(consul, late.key, '1');
  const twin = keyed({ action, source: late.source });
  const early = keyed({ action, source: { kind: 'contents', text: 'of nothing', folder: folder.path } });
  const missing = keyed();
  await using running = startEngine(consul.url, [early, late, twin, missing], { actionIntervalMs: 0 });
  await holds(late.destination, '1');
  await holds(runs, 'run\n');
  await putKey(consul, missing.key, '1');
  await running.engine.allDone(AbortSignal.timeout(5_000));
  expect(await runsOf(runs)).toBe(1);

  await putKey(consul, late.key, '2');
  await Promise.all([holds(late.destination, '2'), holds(twin.destination, '2'), holds(runs, 'run\nrun\n')]);
  await running.engine.allDone(AbortSignal.timeout(5_000));
  expect(await runsOf(runs)).toBe(2);
}, 20_000);

/** How long the check flaps, seconds; `TOOTS_TEST_FLAPPING_S=30` for a long run. */
const FLAPPING_S = Number(process.env['TOOTS_TEST_FLAPPING_S'] ?? 3);

test(
  'a flapping check runs the command at most once a second, and the last state is the one it sees',
  async () => {
    const runs = join(folder.path, 'flapping');
    const check = { CheckID: 'flap', TTL: '60s', Status: 'passing' };
    await consul.ask('PUT', '/v1/agent/service/register', { Name: 'flap', Port: 80, Check: check });
    await consul.ask('PUT', '/v1/agent/service/register', { Name: 'other', Port: 80 });
    const one = keyed({ action: command(`cat ${join(folder.path, 'flap-out')} >> ${runs}`), destination: join(folder.path, 'flap-out') });
    const source = { kind: 'contents', text: '{{ service("flap") | length }}\n', folder: folder.path } as const;
    await using _ = startEngine(consul.url, [{ ...one, source }]);
    await holds(runs, '1\n');

    const startedAt = performance.now();
    for (let at = 0; at <= 2 * Math.floor(FLAPPING_S * 2.5); at++) {
      await consul.ask('PUT', `/v1/agent/check/${at % 2 === 0 ? 'fail' : 'pass'}/flap`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const tookMs = performance.now() - startedAt;
    await until(async () => (await textOf(runs))?.endsWith('0\n'), 8_000, 'the last state was seen');

    expect(await runsOf(runs)).toBeLessThanOrEqual(3 + Math.floor(tookMs / 1_000));
  },
  20_000 + FLAPPING_S * 1_000,
);

test('a check that refuses leaves the file and runs nothing; what was refused can be looked at', async () => {
  const runs = join(folder.path, 'checked');
  const check = { command: 'grep -q good {file}', timeoutMs: 5_000 };
  const one = keyed({ check, action: command(`echo run >> ${runs}`) });
  await putKey(consul, one.key, 'good');
  await using running = startEngine(consul.url, [one]);
  await holds(runs, 'run\n');

  await putKey(consul, one.key, 'bad');
  await until(() => running.problems().some(({ reason }) => reason.includes('refused')), 8_000, 'the refusal is told');
  expect(await textOf(one.destination)).toBe('good');
  expect(await textOf(`${one.destination}.rejected`)).toBe('bad');
  expect(await runsOf(runs)).toBe(1);
  await putKey(consul, one.key, 'good again');
  await holds(one.destination, 'good again');
}, 20_000);

test('a signal goes to the process of the pid file', async () => {
  const pidFile = join(folder.path, 'own.pid');
  const script = `trap 'echo got > ${pidFile}.got; exit' USR2; echo ready > ${pidFile}.ready; while :; do sleep 0.05; done`;
  await using target = await startProgram('sh', ['-c', script]);
  await holds(`${pidFile}.ready`, 'ready\n');
  await writeFile(pidFile, `${target.pid}\n`);
  const one = keyed({ action: { kind: 'signal', signal: 'SIGUSR2', pidFile } });
  await putKey(consul, one.key, '1');
  await using _ = startEngine(consul.url, [one]);

  await holds(`${pidFile}.got`, 'got\n');
});

test('permissions, owner and backups', async () => {
  const one = keyed({ perms: 0o640, user: 'nobody', group: 'daemon', backups: 2, destination: join(folder.path, 'deep/er/file') });
  await putKey(consul, one.key, '1');
  await using _ = startEngine(consul.url, [one]);
  for (const value of ['1', '2', '3', '4']) {
    await putKey(consul, one.key, value);
    await holds(one.destination, value);
  }

  const { mode, uid, gid } = await stat(one.destination);
  expect([mode & 0o777, uid, gid]).toEqual([0o640, await idOf('passwd', 'nobody'), await idOf('group', 'daemon')]);
  expect([
    await textOf(`${one.destination}.bak`),
    await textOf(`${one.destination}.bak.2`),
    await textOf(`${one.destination}.bak.3`),
  ]).toEqual(['3', '2', undefined]);
});

async function idOf(database: string, name: string): Promise<number> {
  return Number((await promisify(execFile)('getent', [database, name])).stdout.split(':')[2]);
}

test('a file keeps the permissions it has', async () => {
  const one = keyed();
  await writeFile(one.destination, 'old');
  await chmod(one.destination, 0o600);
  await putKey(consul, one.key, 'new');
  await using _ = startEngine(consul.url, [one]);
  await holds(one.destination, 'new');

  expect((await stat(one.destination)).mode & 0o777).toBe(0o600);
});

test('in place: the inode stays', async () => {
  const one = keyed({ inPlace: true });
  await writeFile(one.destination, 'a longer text than the new one');
  const { ino } = await stat(one.destination);
  await putKey(consul, one.key, 'new');
  await using _ = startEngine(consul.url, [one]);
  await holds(one.destination, 'new');

  expect((await stat(one.destination)).ino).toBe(ino);
});

test('a single file that is mounted is written in place by itself', async () => {
  const outside = join(folder.path, 'outside');
  const one = keyed({ destination: join(folder.path, 'mounted/file') });
  await mkdir(join(folder.path, 'mounted'));
  await writeFile(outside, 'old');
  await writeFile(one.destination, '');
  await promisify(execFile)('mount', ['--bind', outside, one.destination]);
  try {
    await putKey(consul, one.key, 'new');
    await using _ = startEngine(consul.url, [one]);
    await holds(outside, 'new');
  } finally {
    await promisify(execFile)('umount', [one.destination]);
  }
});

test.each([
  ['replaced', {}],
  ['written in place', { inPlace: true }],
])(
  'a disk that is full leaves a file that is %s as it was, and nothing beside it',
  async (_, how) => {
    const disk = join(folder.path, `disk-${count}`);
    const one = keyed({ destination: join(disk, 'file'), ...how });
    await mkdir(disk);
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    try {
      await putKey(consul, one.key, 'old');
      await using running = startEngine(consul.url, [one]);
      await holds(one.destination, 'old');

      await putKey(consul, one.key, 'x'.repeat(200_000));
      await until(() => running.problems().some(({ option }) => option === 'destination'), 8_000, 'the problem is told');
      expect([await readdir(disk), await textOf(one.destination)]).toEqual([['file'], 'old']);

      // In place there is room for it once.
      await putKey(consul, one.key, 'y'.repeat(45_000));
      await holds(one.destination, 'y'.repeat(45_000));
    } finally {
      await promisify(execFile)('umount', [disk]);
    }
  },
  20_000,
);

test('a single file that is mounted from a disk that is full is as it was', async () => {
  const disk = join(folder.path, 'small-disk');
  const one = keyed({ destination: join(folder.path, 'from-small-disk') });
  await mkdir(disk);
  await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
  try {
    await writeFile(join(disk, 'file'), 'old');
    await writeFile(one.destination, '');
    await promisify(execFile)('mount', ['--bind', join(disk, 'file'), one.destination]);
    await putKey(consul, one.key, 'x'.repeat(200_000));
    await using running = startEngine(consul.url, [one]);

    await until(() => running.problems().some(({ option }) => option === 'destination'), 8_000, 'the problem is told');
    expect(await textOf(one.destination)).toBe('old');
  } finally {
    await promisify(execFile)('umount', [one.destination]);
    await promisify(execFile)('umount', [disk]);
  }
}, 20_000);

test('a folder that cannot be written is told, and written as soon as it can', async () => {
  const one = keyed({ createDestDirs: false, destination: join(folder.path, 'later/file') });
  await putKey(consul, one.key, '1');
  await using running = startEngine(consul.url, [one]);

  await until(() => running.problems().some(({ option }) => option === 'destination'), 8_000, 'the problem is told');
  await mkdir(join(folder.path, 'later'));
  await holds(one.destination, '1');
}, 20_000);

test('a destination that is a folder or a pipe is told, and holds up no other template', async () => {
  const [inFolder, toPipe, good] = [keyed(), keyed(), keyed()];
  await mkdir(inFolder.destination);
  await promisify(execFile)('mkfifo', [toPipe.destination]);
  for (const { key } of [inFolder, toPipe, good]) await putKey(consul, key, '1');
  await using running = startEngine(consul.url, [inFolder, toPipe, good]);

  await holds(good.destination, '1');
  const told = () => running.problems().filter(({ reason }) => reason.includes('no file'));
  await until(() => told().length === 2, 8_000, 'both are told');
}, 20_000);

describe('leader: true', () => {
  const node = (name: string, key: string, runs: string): Parts => ({
    source: { kind: 'contents', text: `{{ key("${key}") }}`, folder: folder.path },
    destination: join(folder.path, name),
    action: { kind: 'command', command: `echo run >> ${runs}`, timeoutMs: 5_000, isForLeader: true },
  });

  test('a command runs on one node; one that ends gives the lead up at once, and another runs what is due', async () => {
    const runs = join(folder.path, 'leader-runs');
    const key = `k${++count}`;
    await putKey(consul, key, '1');
    await using first = startEngine(consul.url, [node('node-1', key, runs)]);
    await holds(runs, 'run\n');
    await using second = startEngine(consul.url, [node('node-2', key, runs)]);
    await holds(join(folder.path, 'node-2'), '1');
    await second.engine.allDone(AbortSignal.timeout(8_000));
    expect(await textOf(runs)).toBe('run\n');

    await first[Symbol.asyncDispose]();
    await putKey(consul, key, '2');
    await holds(runs, 'run\nrun\n');
    expect(await consul.ask('GET', '/v1/session/list')).toHaveLength(1);
  }, 20_000);

  test('when the node that leads has died, Consul ends its session, and another runs what is due', async () => {
    const runs = join(folder.path, 'orphaned-runs');
    const key = `k${++count}`;
    const action = node('node-3', key, runs).action;
    const lock = `/v1/kv/toots/templater/leader/${createHash('sha256').update(`echo run >> ${runs}`).digest('hex').slice(0, 16)}`;
    const { ID } = (await consul.ask('PUT', '/v1/session/create', { TTL: '10s', LockDelay: '0s' })) as { ID: string };
    expect(await consul.ask('PUT', `${lock}?acquire=${ID}`, 'another content')).toBe(true);
    await putKey(consul, key, '1');
    await using running = startEngine(consul.url, [{ ...node('node-3', key, runs), action }]);
    await holds(join(folder.path, 'node-3'), '1');
    expect(await textOf(runs)).toBeUndefined();

    await consul.ask('PUT', `/v1/session/destroy/${ID}`);
    await holds(runs, 'run\n');
    await running.engine.allDone(AbortSignal.timeout(8_000));
  }, 20_000);
});
