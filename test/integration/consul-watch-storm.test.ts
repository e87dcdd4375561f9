import { readFileSync } from 'node:fs';
import { expect, jest, test } from '@jest/globals';
import { parseConsulAddress } from '../../consul/address.ts';
import { catalogInstance } from '../../consul/catalog-instance.ts';
import { connectConsul } from '../../consul/connect.ts';
import { type HealthAnswer, parseHealthEntries } from '../../consul/health-entry.ts';
import { joinedHealth } from '../../consul/joined-health.ts';
import { type ConsulOptions, createTransport, type WatchTransport } from '../../consul/transport.ts';
import type { Instance } from '../../model/instance.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { until } from '../harness/until.ts';
import { startWatching, type Watching } from '../harness/watching.ts';

jest.setTimeout(90_000);

const SERVICES = 12;
const INSTANCES = 4;
const NODES = 3;
const CHANGES = 200;

function any(below: number): number {
  return Math.floor(Math.random() * below);
}

/** One change of any kind to one of few things, so that changes meet. */
async function change(consul: TestConsul): Promise<void> {
  const node = `n${any(NODES)}`;
  const service = `s${any(SERVICES)}`;
  const id = `${service}-${any(INSTANCES)}`;
  const registration = { Node: node, Address: `10.0.0.${1 + any(3)}` };
  const Service = { ID: id, Service: service, Tags: ['haproxy', `t${any(3)}`], Port: 80 + any(3), Meta: { m: `${any(3)}` } };
  const Status = any(2) === 0 ? 'passing' : 'critical';
  const write = (path: string, body: object) => consul.ask('PUT', `/v1/catalog/${path}`, body);
  switch (any(8)) {
    case 0:
      return void (await write('deregister', { Node: node, ServiceID: id }));
    case 1:
      return void (await write('register', {
        ...registration,
        Check: { Node: node, CheckID: any(2) === 0 ? 'disk' : 'CPU', Name: 'd', Status },
      }));
    case 2:
      return void (await write('deregister', { Node: node, CheckID: 'disk' }));
    case 3:
      return void (await write('deregister', { Node: node, CheckID: `c-${id}` }));
    case 4:
      if (any(10) === 0) await write('deregister', { Node: node });
      return;
    case 5: {
      const Check = { Node: node, CheckID: `${any(2) === 0 ? 'c' : 'B'}-${id}`, Name: 'c', Status, ServiceID: id, Output: `${any(9)}` };
      return void (await write('register', { ...registration, Service, Check }));
    }
    default:
      return void (await write('register', { ...registration, Service }));
  }
}

/** What Consul says when it is asked service by service. */
async function answers(consul: TestConsul): Promise<ReadonlyMap<string, HealthAnswer>> {
  const all = new Map<string, HealthAnswer>();
  for (let n = 0; n < SERVICES; n++) all.set(`s${n}`, parseHealthEntries(await consul.ask('GET', `/v1/health/service/s${n}`), `s${n}`));
  return all;
}

/** The same, put together from the large tables. */
async function joinedAnswers(consul: TestConsul): Promise<ReadonlyMap<string, HealthAnswer>> {
  const nodes = (await consul.ask('GET', '/v1/catalog/nodes')) as readonly { readonly Node: string }[];
  const onNodes = await Promise.all(nodes.map(({ Node }) => consul.ask('GET', `/v1/catalog/node/${Node}`)));
  const answerOf = joinedHealth(await consul.ask('GET', '/v1/health/state/any'), onNodes);
  return new Map(Array.from({ length: SERVICES }, (_, n) => [`s${n}`, answerOf(`s${n}`)]));
}

function present(all: ReadonlyMap<string, HealthAnswer>): Readonly<Record<string, readonly Instance[]>> {
  const there = [...all].filter(([, { entries }]) => entries.length > 0);
  return Object.fromEntries(there.map(([name, { entries }]) => [name, sorted(entries.map(catalogInstance))]));
}

/** Consul answers the instances of a service in an order of its own. */
function inOneOrder(all: ReadonlyMap<string, HealthAnswer>): readonly unknown[] {
  return [...all].map(([name, { entries }]) => [name, [...entries].sort((a, b) => (`${a.node} ${a.id}` < `${b.node} ${b.id}` ? -1 : 1))]);
}

function sorted(instances: readonly Instance[]): readonly Instance[] {
  return [...instances].sort((a, b) => (`${a.node} ${a.id}` < `${b.node} ${b.id}` ? -1 : 1));
}

function seen(watching: Watching): Readonly<Record<string, readonly Instance[]>> {
  const services = watching.updates.at(-1)?.catalog.services ?? new Map<string, readonly Instance[]>();
  return Object.fromEntries([...services].map(([name, instances]) => [name, sorted(instances)]));
}

test('after any storm of changes every way of watching has seen what Consul says', async () => {
  await using consul = await startConsul({ https: true });
  const transports: (WatchTransport & AsyncDisposable)[] = [
    createTransport(at(consul.url)),
    connectConsul({ ...at(consul.httpsUrl), tls: { ca: readFileSync(consul.caFile, 'utf8') } }),
    { ...createTransport(at(consul.url)), capacity: () => 0 },
  ];
  const watchings = transports.map((transport) => startWatching(transport));

  for (let storm = 0; storm < 4; storm++) {
    const writer = async () => {
      for (let n = 0; n < CHANGES / 4; n++) await change(consul);
    };
    await Promise.all(Array.from({ length: 4 }, writer));
    const asked = await answers(consul);
    expect(inOneOrder(await joinedAnswers(consul))).toEqual(inOneOrder(asked));
    const expected = present(asked);
    for (const watching of watchings) {
      await until(() => JSON.stringify(ordered(seen(watching))) === JSON.stringify(ordered(expected)), 10_000, 'it is seen').catch(
        () => {},
      );
      expect(seen(watching)).toEqual(expected);
    }
  }

  for (const one of [...watchings, ...transports]) await one[Symbol.asyncDispose]();
});

function ordered(services: Readonly<Record<string, readonly Instance[]>>): readonly unknown[] {
  return Object.entries(services).sort(([a], [b]) => (a < b ? -1 : 1));
}

function at(url: string): ConsulOptions {
  const address = parseConsulAddress(url);
  if (address === undefined) throw new Error(`no address: ${url}`);
  return { address };
}
