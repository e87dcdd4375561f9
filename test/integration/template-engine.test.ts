import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TemplateConfig } from '../../templater/template/template-config.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { putKey } from '../harness/consul-data.ts';
import { startConsulProxy } from '../harness/consul-proxy.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { startEngine } from '../harness/template-engine.ts';
import { until } from '../harness/until.ts';

let consul: TestConsul;
let folder: Awaited<ReturnType<typeof tempDir>>;
let files = 0;
beforeAll(async () => {
  consul = await startConsul({ config: { check_update_interval: '0s' } });
  folder = await tempDir();
}, 30_000);
afterAll(async () => {
  await consul?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await consul.ask('DELETE', '/v1/kv/?recurse=true');
  for (const id of Object.keys((await consul.ask('GET', '/v1/agent/services')) as object))
    await consul.ask('PUT', `/v1/agent/service/deregister/${id}`);
});

/** A template with a destination of its own; an action counts its runs in `DEST.runs`. */
function template(text: string, more: Partial<TemplateConfig> = {}): TemplateParts {
  const destination = join(folder.path, `out-${++files}`);
  return { source: { kind: 'contents', text, folder: folder.path }, destination, ...more };
}
type TemplateParts = Partial<TemplateConfig> & Pick<TemplateConfig, 'source' | 'destination'>;

function command(text: string): TemplateConfig['action'] {
  return { kind: 'command', command: text, timeoutMs: 5_000, isForLeader: false };
}

async function register(name: string, id = name, port = 80, checks: readonly object[] = []): Promise<void> {
  await consul.ask('PUT', '/v1/agent/service/register', { Name: name, ID: id, Port: port, Address: '10.0.0.1', Checks: checks });
}

const textOf = (path: string) => readFile(path, 'utf8').catch(() => undefined);
const holds = (path: string, text: string) =>
  until(async () => (await textOf(path)) === text, 8_000, `${path} holds ${JSON.stringify(text)}`);
const WEB = '{% for i in service("web") %}{{ i.id }} {% endfor %}';

test('a key is followed: created, changed, deleted', async () => {
  const one = template('{{ keyOrDefault("a", "none") }}');
  await using _ = startEngine(consul.url, [one]);

  await holds(one.destination, 'none');
  await putKey(consul, 'a', '1');
  await holds(one.destination, '1');
  await consul.ask('DELETE', '/v1/kv/a');
  await holds(one.destination, 'none');
});

test('a missing key is named, and rendered as soon as it is there; what was rendered stays when it goes', async () => {
  const one = template('{{ key("needed") }}');
  await using running = startEngine(consul.url, [one]);

  await until(() => running.problems().some(({ value }) => value === 'key needed'), 8_000, 'the key is named');
  expect(running.engine.status()[0]).toMatchObject({
    state: 'waiting',
    missing: [{ query: 'key needed', why: /no such key/ }].map(({ query }) => expect.objectContaining({ query })),
  });
  await putKey(consul, 'needed', 'there');
  await holds(one.destination, 'there');
  await consul.ask('DELETE', '/v1/kv/needed');
  await until(() => running.engine.status()[0]?.state === 'waiting', 8_000, 'it waits again');
  expect(await textOf(one.destination)).toBe('there');
});

test('300 services: everything is gathered, then rendered once, over at most 20 connections; one change renders once', async () => {
  for (let at = 0; at < 300; at++) await register(`s${at}`);
  await using proxy = await startConsulProxy(consul.httpPort);
  const one = template('{% for s in services() %}{% for i in service(s.name) %}{{ i.id }}:{{ i.port }}\n{% endfor %}{% endfor %}');
  await using running = startEngine(`http://127.0.0.1:${proxy.port}`, [one]);

  await until(async () => (await textOf(one.destination))?.split('\n').length === 302, 20_000, 'all are there');
  expect(await running.metric('toots_template_renders_total')).toBe(1);
  expect(await running.metric('toots_template_evaluations_total')).toBeLessThanOrEqual(3);
  await register('s7', 's7', 81);
  await until(async () => (await textOf(one.destination))?.includes('s7:81'), 8_000, 'the change is there');
  expect(await running.metric('toots_template_renders_total')).toBeLessThanOrEqual(3);
  expect(proxy.connections().most).toBeLessThanOrEqual(20);
}, 40_000);

test('400 keys of two folders take few connections, and each is followed', async () => {
  for (let at = 0; at < 200; at++) {
    await putKey(consul, `one/${at}`, 'a');
    await putKey(consul, `two/${at}`, 'b');
  }
  await using proxy = await startConsulProxy(consul.httpPort);
  const one = template('{% for n in range(200) %}{{ key("one/" + n) }}{{ key("two/" + n) }}{% endfor %}');
  await using _ = startEngine(`http://127.0.0.1:${proxy.port}`, [one]);

  await holds(one.destination, 'ab'.repeat(200));
  await putKey(consul, 'two/199', 'c');
  await holds(one.destination, `${'ab'.repeat(199)}ac`);
  expect(proxy.connections().most).toBeLessThanOrEqual(20);
}, 30_000);

test('only templates that depend on a change are rendered again', async () => {
  await putKey(consul, 'a', '1');
  await putKey(consul, 'b', '1');
  const [one, two] = [template('a{{ key("a") }}'), template('b{{ key("b") }}')];
  await using running = startEngine(consul.url, [one, two]);
  await holds(one.destination, 'a1');
  await holds(two.destination, 'b1');

  await putKey(consul, 'a', '2');
  await holds(one.destination, 'a2');

  expect(await running.metric('toots_template_renders_total')).toBe(3);
});

test('a check’s output alone renders nothing, unless the template shows it', async () => {
  await register('web', 'web', 80, [{ CheckID: 'c', TTL: '60s', Status: 'passing' }]);
  await consul.ask('PUT', '/v1/agent/check/update/c', { Status: 'passing', Output: 'first' });
  const [plain, shows] = [
    template(WEB),
    template('{% for i in service("web") %}{% for c in i.checks %}{{ c.output }};{% endfor %}{% endfor %}{{ key("k", "") }}'),
  ];
  await using running = startEngine(consul.url, [plain, shows]);
  await holds(plain.destination, 'web ');
  await until(async () => (await textOf(shows.destination))?.includes('first'), 8_000, 'the output is shown');
  const renders = await running.metric('toots_template_renders_total');

  await consul.ask('PUT', '/v1/agent/check/update/c', { Status: 'passing', Output: 'second' });
  await until(async () => (await textOf(shows.destination))?.includes('second'), 8_000, 'the new output is shown');

  expect(await running.metric('toots_template_renders_total')).toBe(renders + 1);
});

test('a broken template stops no other, is named, and keeps its last good file', async () => {
  await putKey(consul, 'n', '7');
  const [broken, good] = [template('{{ key("n") | parseInt }}'), template('{{ key("n") }}')];
  await using running = startEngine(consul.url, [broken, good]);
  await holds(broken.destination, '7');

  await putKey(consul, 'n', 'seven');
  await holds(good.destination, 'seven');
  await until(() => running.problems().some(({ reason }) => reason.includes('no whole number: "seven"')), 8_000, 'the problem is told');
  expect(await textOf(broken.destination)).toBe('7');
  await putKey(consul, 'n', '8');
  await holds(broken.destination, '8');
  await until(() => running.problems().length === 0, 8_000, 'the problem is over');
});

test('a template that runs out of time stops no other', async () => {
  const endless = template('{% for n in range(1000000) %}{% for m in range(1000000) %}{% endfor %}{% endfor %}');
  const good = template('{{ keyOrDefault("a", "-") }}');
  await using running = startEngine(consul.url, [endless, good], { renderLimitMs: 100 });

  await holds(good.destination, '-');
  await until(() => running.problems().some(({ reason }) => reason.includes('took longer than 100 ms')), 8_000, 'the problem is told');
});

test('an edited template and an edited part of it are noticed, and so is a file it reads', async () => {
  const [source, part, data] = ['t.njk', 'part.njk', 'data.txt'].map((name) => join(folder.path, name)) as [string, string, string];
  await writeFile(source, 'one {% include "part.njk" %} {{ file("data.txt") }}');
  await writeFile(part, 'part');
  await writeFile(data, 'data');
  const one = template('', { source: { kind: 'file', path: source } });
  await using _ = startEngine(consul.url, [one]);
  await holds(one.destination, 'one part data');

  await writeFile(data, 'more');
  await holds(one.destination, 'one part more');
  await writeFile(part, 'other');
  await holds(one.destination, 'one other more');
  await writeFile(source, 'two {% include "part.njk" %}');
  await holds(one.destination, 'two other');
});

test('a template may lie in a key; it reads no file', async () => {
  await putKey(consul, 'templates/one', 'v1 {{ key("a", "-") }}');
  const one = template('', { source: { kind: 'key', path: 'templates/one' } });
  await using running = startEngine(consul.url, [one]);
  await holds(one.destination, 'v1 -');

  await putKey(consul, 'templates/one', '{{ file("/etc/passwd") }}');
  await until(() => running.problems().some(({ reason }) => reason.includes('reads no file')), 8_000, 'it is refused');
  expect(await textOf(one.destination)).toBe('v1 -');
});

test('a dead datacenter does not freeze what is local', async () => {
  await putKey(consul, 'a', '1');
  let turnedMs = 0;
  const one = template('{{ key("a") }}{% for i in service("web@dc9") %}{{ i.id }}{% endfor %}');
  await using running = startEngine(consul.url, [one], { ports: { now: () => Date.now() + turnedMs } });
  await until(() => running.problems().some(({ value }) => value === 'service web@dc9'), 8_000, 'what is missing is named');
  expect(await textOf(one.destination)).toBeUndefined();

  turnedMs = 20_000;
  await putKey(consul, 'a', '2');
  await holds(one.destination, '2');
  await until(() => running.problems().some(({ reason }) => reason.includes('taken as empty')), 8_000, 'it is told');
}, 20_000);

describe('wait', () => {
  test('changes are gathered for a quiet time, the first rendering is not', async () => {
    const one = template('{{ keyOrDefault("a", "0") }}', { wait: { minMs: 400, maxMs: 2_000 } });
    await using running = startEngine(consul.url, [one]);
    await holds(one.destination, '0');

    for (let at = 1; at <= 5; at++) await putKey(consul, 'a', String(at));
    await holds(one.destination, '5');

    expect(await running.metric('toots_template_renders_total')).toBe(2);
  });
});

describe('outages', () => {
  test('Consul away for 15 minutes: the file stays, the program stays, and it resumes by itself', async () => {
    await putKey(consul, 'a', '1');
    await using proxy = await startConsulProxy(consul.httpPort);
    let turnedMs = 0;
    const one = template('{{ key("a") }}');
    await using running = startEngine(`http://127.0.0.1:${proxy.port}`, [one], { ports: { now: () => Date.now() + turnedMs } });
    await holds(one.destination, '1');

    proxy.set({ kind: 'answer', status: 500, body: 'no leader' });
    await until(() => running.engine.answers.failing().length > 0, 8_000, 'the outage is told');
    turnedMs = 900_000;
    await putKey(consul, 'a', '2');
    expect(await textOf(one.destination)).toBe('1');
    proxy.set(undefined);
    await holds(one.destination, '2');
    expect(running.engine.answers.failing()).toEqual([]);
  }, 30_000);

  test('an agent that hangs is told, though it may hold every request; what it swallowed is asked anew when it answers again', async () => {
    await putKey(consul, 'a', '1');
    await register('web', 'web-1');
    await using proxy = await startConsulProxy(consul.httpPort);
    const [key, service, nodes] = [template('{{ key("a") }}'), template(WEB), template('{% for n in nodes() %}{{ n.meta.a }}{% endfor %}')];
    const pulse = { everyMs: 50, withinMs: 200 };
    await using running = startEngine(`http://127.0.0.1:${proxy.port}`, [key, service, nodes], { pulse });
    await holds(key.destination, '1');
    await holds(service.destination, 'web-1 ');
    await holds(nodes.destination, '');
    expect(running.engine.answers.failing()).toEqual([]);

    proxy.set({ kind: 'hang' });
    await until(() => running.engine.answers.failing().some(({ query }) => query === 'agent'), 8_000, 'the agent’s silence is told');
    await putKey(consul, 'a', '2');
    await register('web', 'web-2');
    await consul.ask('PUT', '/v1/catalog/register', { Node: 'far', Address: '10.0.0.9', NodeMeta: { a: 'new' } });
    proxy.set(undefined);

    await holds(key.destination, '2');
    await holds(service.destination, 'web-1 web-2 ');
    await holds(nodes.destination, 'new');
    await until(() => running.engine.answers.failing().length === 0, 8_000, 'nothing fails any more');
    await consul.ask('PUT', '/v1/catalog/deregister', { Node: 'far' });
  }, 40_000);

  test('a catalog that became empty is withheld, can be released, and is believed when the time is over', async () => {
    await register('web');
    const one = template(WEB);
    await using running = startEngine(consul.url, [one]);
    await holds(one.destination, 'web ');

    await consul.ask('PUT', '/v1/agent/service/deregister/web');
    await until(() => running.engine.answers.holds().length > 0, 8_000, 'it is withheld');
    expect(running.engine.answers.holds()[0]).toMatchObject({ subject: 'service web', reason: expect.stringContaining('whole catalog') });
    expect(await textOf(one.destination)).toBe('web ');
    expect(running.engine.answers.release('other')).toEqual([]);
    expect(running.engine.answers.release('web')).toEqual(['service web']);
    await holds(one.destination, '');
  }, 20_000);

  test('a start on an empty Consul keeps the files of an earlier run, until Consul is filled again or they are released', async () => {
    const [services, keys, released] = [template(`[${WEB}]`), template('{{ tree("app") | length }}'), template(`(${WEB})`)];
    for (const { destination } of [services, keys, released]) await writeFile(destination, 'of an earlier run');
    const fresh = template(`<${WEB}>`);
    await using running = startEngine(consul.url, [services, keys, released, fresh]);

    await holds(fresh.destination, '<>');
    await until(() => running.engine.holds().length === 3, 8_000, 'they are withheld');
    expect(running.engine.holds().map(({ subject }) => subject)).toContain(services.destination);
    expect(running.engine.holds()[0]?.reason).toContain('Consul is empty');
    expect(running.engine.release(released.destination)).toEqual([released.destination]);
    await holds(released.destination, '()');
    expect(await textOf(services.destination)).toBe('of an earlier run');
    expect(await textOf(keys.destination)).toBe('of an earlier run');

    await register('web');
    await holds(services.destination, '[web ]');
    await putKey(consul, 'app/a', '1');
    await holds(keys.destination, '1');
    expect(running.engine.holds()).toEqual([]);
  }, 20_000);

  test('what was withheld at the start is written when the time is over', async () => {
    let turnedMs = 0;
    const one = template(`[${WEB}]`);
    await writeFile(one.destination, 'of an earlier run');
    await using running = startEngine(consul.url, [one], { ports: { now: () => Date.now() + turnedMs } });
    await until(() => running.engine.holds().length === 1, 8_000, 'it is withheld');

    turnedMs = 300_000;
    await holds(one.destination, '[]');
  }, 20_000);

  test('a start while Consul is being filled again keeps a much longer file, until the text has grown or has not grown for ten seconds', async () => {
    let turnedMs = 0;
    const earlier = Array.from({ length: 40 }, (_, at) => `web-${at}\n`).join('');
    const [grows, stays] = [template('{{ key("lines") }}'), template('{{ key("few") }}')];
    for (const { destination } of [grows, stays]) await writeFile(destination, earlier);
    await putKey(consul, 'lines', 'web-0\n');
    await putKey(consul, 'few', 'all\nthat\nis left\n');
    await using running = startEngine(consul.url, [grows, stays], { ports: { now: () => Date.now() + turnedMs } });
    await until(() => running.engine.holds().length === 2, 8_000, 'both are withheld');
    expect(running.engine.holds()[0]?.reason).toContain('less than half');

    turnedMs = 9_000;
    await putKey(consul, 'lines', 'web-0\nweb-1\n');
    await until(
      () => running.engine.status().some(({ renderedAt }) => Date.parse(renderedAt ?? '') > Date.now() + 8_000),
      8_000,
      'it grew',
    );
    turnedMs = 11_000;
    await holds(stays.destination, 'all\nthat\nis left\n');
    expect(await textOf(grows.destination)).toBe(earlier);
    await putKey(consul, 'lines', earlier.replace('web-0\n', ''));
    await holds(grows.destination, earlier.replace('web-0\n', ''));
  }, 20_000);

  test('a service that is scaled to nothing beside others is believed at once', async () => {
    await register('web');
    await register('api');
    const one = template(`[${WEB}]`);
    await using running = startEngine(consul.url, [one]);
    await holds(one.destination, '[web ]');

    await consul.ask('PUT', '/v1/agent/service/deregister/web');
    await holds(one.destination, '[]');
    expect(running.engine.answers.holds()).toEqual([]);
  });
});

test('an agent that comes back wiped empties nothing, and nothing is run when its services are there again', async () => {
  await using wiped = await startConsul();
  const put = (id: string) => wiped.ask('PUT', '/v1/agent/service/register', { Name: 'web', ID: id, Port: 80 });
  for (const id of ['web-1', 'web-2', 'web-3']) await put(id);
  const runs = join(folder.path, 'wiped-runs');
  const one = template(WEB, { action: command(`echo run >> ${runs}`) });
  await using running = startEngine(wiped.url, [one]);
  await holds(one.destination, 'web-1 web-2 web-3 ');
  await until(async () => (await textOf(runs)) === 'run\n', 8_000, 'the command ran');

  await wiped.restart({ wiped: true });
  await until(() => running.engine.answers.holds().length > 0, 20_000, 'the loss is withheld');
  for (const id of ['web-1', 'web-2', 'web-3']) await put(id);
  await until(() => running.engine.answers.holds().length === 0, 20_000, 'the hold is over');

  expect(await textOf(one.destination)).toBe('web-1 web-2 web-3 ');
  expect(await textOf(runs)).toBe('run\n');
}, 60_000);
