import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { dueMarker } from '../../templater/template/due-marker.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { putKey } from '../harness/consul-data.ts';
import { freePort } from '../harness/free-port.ts';
import { PROJECT_FOLDER, type RunningProgram, startProgram, startToots } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

let consul: TestConsul;
let folder: Awaited<ReturnType<typeof tempDir>>;
let file: (name: string) => string;
beforeAll(async () => {
  consul = await startConsul();
}, 30_000);
afterAll(async () => {
  await consul?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await consul.ask('DELETE', '/v1/kv/?recurse=true');
  await folder?.[Symbol.asyncDispose]();
  folder = await tempDir();
  file = (name) => join(folder.path, name);
});
afterAll(async () => {
  await folder?.[Symbol.asyncDispose]();
});

const SLOW = 30_000;
const textOf = (path: string) => readFile(path, 'utf8').catch(() => undefined);
const holds = (path: string, text: string) =>
  until(async () => (await textOf(path)) === text, 15_000, `${path} holds ${JSON.stringify(text)}`);

async function templater(...args: readonly string[]): Promise<RunningProgram & { readonly api: string }> {
  const api = `127.0.0.1:${await freePort()}`;
  const program = await startToots(['templater', '-consul-addr', `127.0.0.1:${consul.httpPort}`, '-api', api, ...args], {
    cwd: folder.path,
  });
  return { ...program, api };
}

test(
  '-once renders, runs the command, and ends with 0, also beside a run that lasts and has the same API port',
  async () => {
    await putKey(consul, 'a', '1');
    await writeFile(file('t.njk'), '{{ key("a") }}');
    await using beside = await templater('-template', 't.njk:other');
    await holds(file('other'), '1');
    await using program = await templater('-once', '-api', beside.api, '-template', `t.njk:out:cat out > copy`);

    expect(await program.ended).toBe(0);
    expect(await textOf(file('copy'))).toBe('1');
    await fetch(`http://${beside.api}/health/live`);
  },
  SLOW,
);

test(
  '-once lists what is missing when its time is over, and ends with 1',
  async () => {
    await writeFile(file('t.njk'), '{{ key("nosuch") }}');
    await using program = await templater('-once', '-once-timeout', '500ms', '-template', 't.njk:out');

    expect(await program.ended).toBe(1);
    expect(program.output()).toContain('missing key nosuch: there is no such key');
  },
  SLOW,
);

test(
  '-once ends with 1 when a command fails, and with the others done when a template is broken',
  async () => {
    await writeFile(file('bad.njk'), '{{ mustEnv("NOSUCH") }}');
    await writeFile(file('good.njk'), 'good');
    await using program = await templater('-once', '-template', 'bad.njk:bad', '-template', 'good.njk:good:sh -c "exit 3"');

    expect(await program.ended).toBe(1);
    expect(program.output()).toContain('NOSUCH is not set');
    expect(program.output()).toContain('it ended with 3');
    expect(await textOf(file('good'))).toBe('good');
    expect(await textOf(file('bad'))).toBeUndefined();
  },
  SLOW,
);

test(
  '-dry prints what would be written, --dry-run a difference with status 2; neither writes',
  async () => {
    await writeFile(file('t.njk'), 'new\n');
    await writeFile(file('out'), 'old\n');
    await using dry = await templater('-once', '-dry', '-template', 't.njk:out:touch ran now');
    expect(await dry.ended).toBe(0);
    expect(dry.output()).toContain('> out\nnew\n');

    await using diff = await templater('--dry-run', '-template', 't.njk:out:touch ran now');
    expect(await diff.ended).toBe(2);
    expect(diff.output()).toContain('-old\n+new\n');
    expect(await textOf(file('out'))).toBe('old\n');
    expect(await textOf(file('ran'))).toBeUndefined();

    await writeFile(file('out'), 'new\n');
    await using same = await templater('--dry-run', '-template', 't.njk:out');
    expect(await same.ended).toBe(0);
  },
  SLOW,
);

test(
  'a configuration tells all that is wrong at once, with the nearest known key',
  async () => {
    await writeFile(
      file('c.yaml'),
      'templates:\n  - source: t.njk\n    destnation: out\n    perms: rw\n  - contents: x\n    source: y\n    destination: z\nhodl: 5m\nconsul:\n  adress: x\n',
    );
    await using program = await templater('-config', 'c.yaml', '-once');

    expect(await program.ended).toBe(2);
    expect(program.output()).toContain('templates[1]: unknown key "destnation" (did you mean destination?)');
    expect(program.output()).toContain('templates[1].perms: must be permissions');
    expect(program.output()).toContain('unknown key "hodl" (did you mean hold?)');
    expect(program.output()).toContain('consul: unknown key "adress" (did you mean address?)');
  },
  SLOW,
);

test(
  'what consul-template has and this has not is told as that: flags, an HCL file',
  async () => {
    await writeFile(file('c.hcl'), 'template { source = "a" }');
    await using program = await templater('-config', 'c.hcl', '-vault-addr', 'http://vault:8200', '-nomad-token=x', '-syslog', '-once');

    expect(await program.ended).toBe(2);
    const said = program.output();
    expect(said).toContain('c.hcl: is HCL: `toots templater import c.hcl`');
    for (const words of ['-vault-addr: Vault is not', '-nomad-token: Nomad is not', '-syslog: the log']) expect(said).toContain(words);
    expect(said).not.toContain('unexpected argument');
  },
  SLOW,
);

test(
  'the configuration says where Consul is, and flags beat it; a wrong value is told like a flag’s',
  async () => {
    await putKey(consul, 'a', '1');
    await writeFile(
      file('c.json'),
      JSON.stringify({ consul: { address: '127.0.0.1:1' }, templates: [{ contents: '{{ key("a") }}', destination: 'out' }] }),
    );
    await using program = await templater('-config', 'c.json', '-once');
    expect(await program.ended).toBe(0);
    expect(await textOf(file('out'))).toBe('1');

    await writeFile(file('d.yaml'), 'hold: soon\nlog_level: loud\n');
    await using wrong = await templater('-config', 'd.yaml', '-once');
    expect(await wrong.ended).toBe(2);
    expect(wrong.output()).toContain('-hold: must be a duration');
    expect(wrong.output()).toContain('-log-level: must be one of');
  },
  SLOW,
);

test(
  '-parse-only tells what is wrong with templates',
  async () => {
    await writeFile(file('t.njk'), '{% if %}');
    await using program = await templater('-parse-only', '-template', 't.njk:out');

    expect(await program.ended).toBe(1);
    expect(program.output()).toContain('t.njk');
  },
  SLOW,
);

test.each([
  ['while the command runs', 'sleep 60'],
  ['after the command failed', 'exit 1'],
])(
  'kill -9 %s: the next run runs it',
  async (_, how) => {
    await putKey(consul, 'a', '1');
    await writeFile(file('t.njk'), '{{ key("a") }}');
    const command = `echo run >> runs; test -e mended || ${how}`;
    const first = await templater('-template', `t.njk:out:${command}`);
    await until(async () => (await textOf(file('runs'))) !== undefined, 15_000, 'the command ran');
    first.signal('SIGKILL');
    await first.ended;
    expect(await textOf(file('out'))).toBe('1');

    await writeFile(file('mended'), '');
    await writeFile(file('runs'), '');
    await using again = await templater('-template', `t.njk:out:${command}`);
    await holds(file('runs'), 'run\n');
    await until(async () => (await textOf(dueMarker(file('out')))) === undefined, 8_000, 'nothing is due');
    expect(again.hasEnded()).toBe(false);
  },
  SLOW,
);

test(
  'SIGHUP takes a right configuration, refuses a wrong one, and writes again what was taken away; TERM ends within five seconds with 0',
  async () => {
    await writeFile(file('c.yaml'), 'templates: [{ contents: "one", destination: one }]');
    await using program = await templater('-config', 'c.yaml');
    await holds(file('one'), 'one');

    await writeFile(file('c.yaml'), 'templates: [{ contents: "two", destination: two }]');
    program.signal('SIGHUP');
    await holds(file('two'), 'two');
    await writeFile(file('c.yaml'), 'templates: [{ contents: "three" }]');
    program.signal('SIGHUP');
    const status = async () =>
      (await (await fetch(`http://${program.api}/status`)).json()) as {
        problems: { subject: string }[];
        templates: { destination: string }[];
      };
    await until(async () => (await status()).problems.some(({ subject }) => subject === 'configuration'), 8_000, 'the wrong one is told');
    expect((await status()).templates).toMatchObject([{ destination: file('two') }]);

    await writeFile(file('c.yaml'), '{ wait: 1s, consul: { token: hush }, templates: [{ contents: "four", destination: four }] }');
    program.signal('SIGHUP');
    await holds(file('four'), 'four');
    expect(JSON.stringify((await status()).problems)).toContain('-wait has changed: it counts from the next start');
    expect(JSON.stringify((await status()).problems)).not.toContain('hush');

    await rm(file('four'));
    program.signal('SIGHUP');
    await holds(file('four'), 'four');

    const toldAt = performance.now();
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(performance.now() - toldAt).toBeLessThan(5_000);
  },
  SLOW,
);

test(
  'exec: the program starts when all is rendered, is told of changes, and gives its exit code',
  async () => {
    await writeFile(file('t.njk'), '{{ key("a") }}');
    await writeFile(
      file('app.sh'),
      'trap "echo reload >> log" HUP; trap "echo usr2 >> log" USR2; echo start $(cat out) >> log; until test -e stop; do sleep 0.05; done; exit 7',
    );
    await using program = await templater('-template', 't.njk:out', '-exec', 'sh app.sh', '-exec-reload-signal', 'SIGHUP');
    expect(await textOf(file('log'))).toBeUndefined();

    await putKey(consul, 'a', '1');
    await holds(file('log'), 'start 1\n');
    await putKey(consul, 'a', '2');
    await holds(file('log'), 'start 1\nreload\n');
    program.signal('SIGUSR2');
    await holds(file('log'), 'start 1\nreload\nusr2\n');
    await writeFile(file('stop'), '');
    expect(await program.ended).toBe(7);
  },
  SLOW,
);

test(
  'exec without a reload signal starts the program anew; TERM ends both',
  async () => {
    await putKey(consul, 'a', '1');
    await writeFile(file('t.njk'), '{{ key("a") }}');
    await writeFile(file('app.sh'), 'trap "echo end >> log; exit 0" INT; echo start $(cat out) >> log; while :; do sleep 0.05; done');
    await using program = await templater('-template', 't.njk:out', '-exec', 'sh app.sh');
    await holds(file('log'), 'start 1\n');

    await putKey(consul, 'a', '2');
    await holds(file('log'), 'start 1\nend\nstart 2\n');
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(await textOf(file('log'))).toBe('start 1\nend\nstart 2\nend\n');
  },
  SLOW,
);

test(
  'exec: -exec-kill-signal asks the program to end, and KILL ends it when -exec-kill-timeout is over; one that ends for nobody does not outlive us',
  async () => {
    await putKey(consul, 'a', '1');
    await writeFile(file('t.njk'), '{{ key("a") }}');
    await writeFile(
      file('app.sh'),
      'trap "echo asked >> log" USR1; echo start $(cat out) >> log; echo $$ > pid; while :; do sleep 0.05; done',
    );
    const killing = (timeout: string) => ['-exec-kill-signal', 'SIGUSR1', '-exec-kill-timeout', timeout];
    await using program = await templater('-template', 't.njk:out', '-exec', 'sh app.sh', ...killing('300ms'));
    await holds(file('log'), 'start 1\n');

    await putKey(consul, 'a', '2');
    await holds(file('log'), 'start 1\nasked\nstart 2\n');
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);

    await rm(file('log'));
    await using patient = await templater('-template', 't.njk:out', '-exec', 'sh app.sh', ...killing('30s'));
    await holds(file('log'), 'start 2\n');
    const pid = Number(await textOf(file('pid')));
    patient.signal('SIGTERM');
    expect(await patient.ended).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  },
  SLOW,
);

test(
  'exec: -exec-splay keeps the program from being told for a random time, and holds up no end',
  async () => {
    await putKey(consul, 'a', '1');
    await writeFile(file('t.njk'), '{{ key("a") }}');
    await writeFile(
      file('app.sh'),
      'trap "echo reload >> $LOG" HUP; trap "echo usr2 >> $LOG" USR2; echo start >> $LOG; while :; do sleep 0.05; done',
    );
    const splayed = (name: string, splay: string) => {
      const told = ['-exec-reload-signal', 'SIGHUP', '-exec-env-custom', `LOG=${name}`, '-exec-splay', splay];
      return templater('-template', `t.njk:${name}.out`, '-exec', 'sh app.sh', ...told);
    };
    await using long = await splayed('long', '10000h');
    await using short = await splayed('short', '10ms');
    await holds(file('long'), 'start\n');
    await holds(file('short'), 'start\n');

    await putKey(consul, 'a', '2');
    await holds(file('short'), 'start\nreload\n');
    await holds(file('long.out'), '2');
    long.signal('SIGUSR2');
    await holds(file('long'), 'start\nusr2\n');
    for (const program of [long, short]) program.signal('SIGTERM');
    expect(await Promise.all([long.ended, short.ended])).toEqual([0, 0]);
  },
  SLOW,
);

test(
  'exec with -once: the program runs with what was rendered, is not told of changes, and gives its exit code',
  async () => {
    await putKey(consul, 'a', '1');
    await writeFile(file('t.njk'), '{{ key("a") }}');
    await writeFile(file('app.sh'), 'echo start $(cat out) >> log; until test -e stop; do sleep 0.05; done; exit 5');
    await using program = await templater('-once', '-template', 't.njk:out', '-exec', 'sh app.sh');
    await holds(file('log'), 'start 1\n');

    await putKey(consul, 'a', '2');
    await writeFile(file('stop'), '');

    expect(await program.ended).toBe(5);
    expect([await textOf(file('out')), await textOf(file('log'))]).toEqual(['1', 'start 1\n']);
  },
  SLOW,
);

test(
  '-wait gathers changes of templates that are given as flags',
  async () => {
    await putKey(consul, 'a', '1');
    await writeFile(file('t.njk'), '{{ key("a") }}');
    await using _ = await templater('-wait', '300ms:10s', '-template', 't.njk:out:cat out >> all; echo >> all', '-command-interval', '0');
    await holds(file('all'), '1\n');

    for (const value of ['2', '3', '4']) await putKey(consul, 'a', value);

    await holds(file('all'), '1\n4\n');
  },
  SLOW,
);

test(
  '-pid-file holds the process id while the templater runs; one that cannot be written ends it',
  async () => {
    await writeFile(file('t.njk'), 'x');
    await using program = await templater('-template', 't.njk:out', '-pid-file', 'own.pid');
    await until(async () => (await textOf(file('own.pid'))) !== undefined, 15_000, 'the pid file is there');
    const pid = Number(await textOf(file('own.pid')));

    process.kill(pid, 'SIGTERM');
    expect(await program.ended).toBe(0);
    expect(await textOf(file('own.pid'))).toBeUndefined();

    await using refused = await templater('-template', 't.njk:out', '-pid-file', 'nosuch/own.pid');
    expect(await refused.ended).toBe(1);
    expect(refused.output()).toContain('write file: nosuch/own.pid: ENOENT');
  },
  SLOW,
);

test(
  '-reload-signal and -kill-signal take the place of HUP and INT',
  async () => {
    const template = (text: string) => `templates:\n  - {contents: "${text}", destination: out}\n`;
    await writeFile(file('c.yaml'), template('one'));
    await using program = await templater('-config', 'c.yaml', '-reload-signal', 'SIGUSR1', '-kill-signal', 'SIGUSR2');
    await holds(file('out'), 'one');

    await writeFile(file('c.yaml'), template('two'));
    program.signal('SIGUSR1');
    await holds(file('out'), 'two');
    program.signal('SIGUSR2');

    expect(await program.ended).toBe(0);
  },
  SLOW,
);

test(
  '-consul-token-file and -consul-auth go with each request, and commands are told of them',
  async () => {
    await writeFile(file('token'), 's3cret\n');
    const asked: string[] = [];
    const agent = createServer((request, response) => {
      asked.push(`${String(request.headers['x-consul-token'])} ${String(request.headers.authorization)}`);
      response.setHeader('X-Consul-Index', '7');
      response.end('[]');
    });
    await once(agent.listen(0, '127.0.0.1'), 'listening');
    const { port } = agent.address() as AddressInfo;
    const access = ['-consul-addr', `127.0.0.1:${port}`, '-consul-token-file', 'token', '-consul-auth', 'joe:pw'];
    await writeFile(file('t.njk'), '{{ nodes() | length }}');
    await using program = await templater('-once', '-template', 't.njk:out:env > seen; true', ...access);

    expect(await program.ended).toBe(0);
    agent.close();
    expect(new Set(asked)).toEqual(new Set([`s3cret Basic ${Buffer.from('joe:pw').toString('base64')}`]));
    const seen = await textOf(file('seen'));
    expect(seen).toContain('CONSUL_HTTP_TOKEN_FILE=token\n');
    expect(seen).toContain('CONSUL_HTTP_AUTH=joe:pw\n');
    expect(program.output()).not.toContain('s3cret');
  },
  SLOW,
);

test(
  'exec: -exec-env-… say what of the environment the program sees; what is said of Consul is added',
  async () => {
    await writeFile(file('t.njk'), 'x');
    const envOf = async (...args: readonly string[]) => {
      const program = await templater('-template', 't.njk:out', '-exec', 'sh -c "env | sort"', ...args);
      expect(await program.ended).toBe(0);
      return program.output();
    };

    const pristine = await envOf('-exec-env-pristine', '-exec-env-custom', 'MINE=a=b');
    expect(pristine).toContain(`CONSUL_HTTP_ADDR=http://127.0.0.1:${consul.httpPort}\n`);
    expect(pristine).toContain('MINE=a=b\n');
    expect(pristine).not.toContain('HOME=');
    const listed = await envOf('-exec-env-allowlist', 'PATH', '-exec-env-allowlist', 'HO*', '-exec-env-denylist', 'HOSTNAME');
    expect(listed).toContain('HOME=');
    expect(listed).not.toContain('HOSTNAME=');
    expect(listed).not.toContain('JEST_WORKER_ID=');
  },
  SLOW,
);

test(
  'a template’s own exec block: its command, its time limit, its environment',
  async () => {
    await writeFile(
      file('c.yaml'),
      [
        'templates:',
        '  - contents: a',
        '    destination: a',
        '    exec: { command: "env > seen; true", env: { pristine: true, custom: ["MINE=1"] } }',
        '  - contents: b',
        '    destination: b',
        '    exec: { command: ["sleep", "60"], timeout: 100ms, kill_signal: SIGINT }',
      ].join('\n'),
    );
    await using program = await templater('-config', 'c.yaml', '-once');

    expect(await program.ended).toBe(1);
    expect(program.output()).toContain('it took longer than 100 ms and was killed');
    const seen = (await textOf(file('seen'))) ?? '';
    expect(seen).toContain('MINE=1\n');
    expect(seen).toContain(`CONSUL_HTTP_ADDR=http://127.0.0.1:${consul.httpPort}\n`);
    expect(seen).not.toContain('HOME=');
  },
  SLOW,
);

test(
  '-once ends though its command leaves something in the background that keeps its output open',
  async () => {
    await writeFile(file('t.njk'), 'x');
    await using program = await templater('-once', '-template', 't.njk:out:sleep 60 & echo $! > pid');

    expect(await program.ended).toBe(0);
    process.kill(Number(await textOf(file('pid'))));
  },
  SLOW,
);

test(
  'command_timeout, error_on_missing_key and sandbox_path of an imported configuration and of one of ours',
  async () => {
    await mkdir(file('inside'));
    await writeFile(file('secret'), 'hush');
    await writeFile(file('inside/allowed'), 'allowed');
    const template = (name: string, text: string, more: string) =>
      `template {\n contents = "${text}"\n destination = "${file(name)}"\n ${more}\n}\n`;
    const sandbox = `sandbox_path = "${file('inside')}"`;
    const hcl = [
      template('slow', 'slow', 'command = "sleep 60"\n command_timeout = "100ms"'),
      template('lenient', "[{{ ('{}' | parseJSON).nosuch }}]", ''),
      template('strict', "[{{ ('{}' | parseJSON).nosuch }}]", 'error_on_missing_key = true'),
      template('inner', `{{ file('${file('inside/allowed')}') }}`, sandbox),
      template('outer', `{{ file('${file('secret')}') }}`, sandbox),
    ];
    await writeFile(file('c.hcl'), hcl.join(''));
    const imported = await startToots(['templater', 'import', 'c.hcl'], { cwd: folder.path });
    expect(await imported.ended).toBe(0);
    await writeFile(file('c.yaml'), imported.output().replace(/^(?!templates:| ).*\n/gm, ''));

    await using program = await templater('-config', 'c.yaml', '-once');

    expect(await program.ended).toBe(1);
    expect(program.output()).toContain('it took longer than 100 ms and was killed');
    expect(program.output()).toContain(`is outside of sandbox ${file('inside')}`);
    expect(program.output()).toMatch(/strict.*undefined/);
    const texts = await Promise.all(['slow', 'lenient', 'strict', 'inner', 'outer'].map((name) => textOf(file(name))));
    expect(texts).toEqual(['slow', '[]', undefined, 'allowed', undefined]);
  },
  SLOW,
);

test(
  'as process 1: signals reach the program, and what lost its parent is taken in, not left as a zombie',
  async () => {
    await writeFile(file('t.njk'), 'x');
    await writeFile(
      file('app.sh'),
      [
        'trap "echo usr2 >> log" USR2; trap "echo end >> log; exit 0" TERM',
        'for n in 1 2 3; do sh -c "sleep 0.05 &"; done',
        'until ! pgrep -x sleep; do :; done > /dev/null',
        'grep -l "^State:.Z" /proc/[0-9]*/status > zombies',
        'echo start $$ $(cat /proc/1/comm) >> log; while :; do sleep 0.05; done',
      ].join('\n'),
    );
    const words = ['-consul-addr', `127.0.0.1:${consul.httpPort}`, '-api', `127.0.0.1:${await freePort()}`, '-template', 't.njk:out'];
    const toots = [`${PROJECT_FOLDER}/toots.sh`, 'templater', ...words, '-exec', 'sh app.sh', '-exec-kill-signal', 'SIGTERM'];
    await using program = await startProgram('unshare', ['--pid', '--fork', '--mount-proc', '--', ...toots], { cwd: folder.path });
    await until(async () => (await textOf(file('log')))?.startsWith('start') === true, 15_000, 'the program started');
    expect(await textOf(file('log'))).toMatch(/^start \d+ node\n/);
    expect(await textOf(file('zombies'))).toBe('');

    const [first = 0] = ((await textOf(`/proc/${program.pid}/task/${program.pid}/children`)) ?? '').trim().split(' ').map(Number);
    process.kill(first, 'SIGUSR2');
    await until(async () => (await textOf(file('log')))?.endsWith('usr2\n') === true, 8_000, 'the signal arrived');
    process.kill(first, 'SIGTERM');
    expect(await program.ended).toBe(0);
    expect((await textOf(file('log')))?.endsWith('end\n')).toBe(true);
  },
  SLOW,
);

test(
  'Consul absent at the start is waited for, and told',
  async () => {
    await writeFile(file('t.njk'), '{% for s in services() %}{{ s.name }}{% endfor %}');
    const late = await freePort();
    await using program = await startToots(
      ['templater', '-consul-addr', `127.0.0.1:${late}`, '-api', `127.0.0.1:${await freePort()}`, '-template', 't.njk:out'],
      { cwd: folder.path },
    );

    await until(() => program.output().includes('no answer, asking again'), 15_000, 'it is told');
    expect(program.hasEnded()).toBe(false);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
  },
  SLOW,
);
