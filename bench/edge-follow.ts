import { setTimeout as wait } from 'node:timers/promises';
import { startConsul } from '../test/harness/consul.ts';
import { startHaproxy } from '../test/harness/haproxy.ts';
import { haproxyOf } from '../test/harness/haproxy-version.ts';
import { ask, put, type Registration, register } from './consul-writes.ts';
import { consulTemplate, type EdgeContestant, type MeasuredEdge, toots } from './edge-contestants.ts';
import { probe } from './probe.ts';
import { quantile, quantiles } from './quantiles.ts';
import { type StaticInstances, startStaticInstances } from './static-instances.ts';

const TIMES = 25;
/** Those before are not counted: they are what Node compiles its code by. */
const WARM_UP = 5;
/** Lets what came before finish, so that it is not measured too, and an edge be quiet, milliseconds. */
const CALM_MS = 1_100;
/** Before what is applied is written, a second later. */
const SHORT_CALM_MS = 150;
const GONE_AFTER_MS = 300;

type Row = (what: string, result: string) => void;

/** How soon the edge follows a change, and consul-template in the same run where there is one. Four minutes, two without it. */
export async function follow(row: Row): Promise<void> {
  await using instances = await startStaticInstances(2 + 2 * (TIMES + WARM_UP));
  await floors(row, instances);
  const other = consulTemplate();
  const ours = await measured(toots(), instances, row);
  const theirs = other && (await measured(other, instances, row));
  if (theirs !== undefined) {
    for (const [what, times] of theirs) {
      const share = quantile(ours.get(what) ?? [], 0.5) / quantile(times, 0.5);
      row(`${what}: p50 here, of that of consul-template`, share.toFixed(2));
    }
  }
  await newServices(toots(await haproxyOf('3.4')), instances, row, ', HAProxy 3.4');
}

/** All that a contestant is measured by, each row's times by its name. */
async function measured(contestant: EdgeContestant, instances: StaticInstances, row: Row): Promise<ReadonlyMap<string, readonly number[]>> {
  const { added, gone } = await newInstances(contestant, instances);
  row(`${contestant.name}: ${NEW_INSTANCE}, ${TIMES} times`, quantiles(added));
  row(`${contestant.name}: ${GONE}, ${TIMES} times`, quantiles(gone));
  const served = await newServices(contestant, instances, row);
  return new Map([
    [NEW_INSTANCE, added],
    [GONE, gone],
    [NEW_SERVICE, served],
  ]);
}

const NEW_INSTANCE = 'new instance: register → first answer';
const GONE = 'deregister → last answer';
const NEW_SERVICE = 'new service: register → first 200';

async function newInstances(contestant: EdgeContestant, { addresses, port }: StaticInstances) {
  await using world = await startWorld(contestant, { address: addresses[0] ?? '', port });
  const { consul, edge } = world;
  const [added, gone]: [number[], number[]] = [[], []];
  for (let i = 0; i < TIMES + WARM_UP; i += 1) {
    const address = addresses[2 + i] ?? '';
    await wait(CALM_MS);
    added.push(await register(consul, { id: `web-${i}`, service: 'web', address, port }, () => until(edge, 'web', address)));
    await wait(SHORT_CALM_MS);
    const start = performance.now();
    let last = start;
    const heard = probe(edge.port, 'web.service', ({ said, at }) => {
      if (said === address) last = at;
      return at - start > GONE_AFTER_MS;
    });
    await Promise.all([put(consul, `/v1/agent/service/deregister/web-${i}`), heard]);
    gone.push(last - start);
  }
  return { added: added.slice(WARM_UP), gone: gone.slice(WARM_UP) };
}

async function newServices(
  contestant: EdgeContestant,
  { addresses, port }: StaticInstances,
  row: Row,
  which = '',
): Promise<readonly number[]> {
  await using world = await startWorld(contestant, { address: addresses[0] ?? '', port });
  const { consul, edge } = world;
  const before = await edge.reloads();
  const took: number[] = [];
  for (let i = 0; i < TIMES + WARM_UP; i += 1) {
    const [service, address] = [`new-${i}`, addresses[2 + i] ?? ''];
    await wait(CALM_MS);
    took.push(await register(consul, { id: service, service, address, port }, () => until(edge, service, address)));
  }
  const after = await edge.reloads();
  const counted = took.slice(WARM_UP);
  const reloads = after === undefined || before === undefined ? 'a reload each' : `${after - before} reloads of ${took.length}`;
  row(`${contestant.name}: ${NEW_SERVICE}${which}, ${TIMES} times; reloads`, `${quantiles(counted)}; ${reloads}`);
  return counted;
}

/** What of it is not ours: Consul's, and HAProxy's. */
async function floors(row: Row, { addresses, port }: StaticInstances): Promise<void> {
  await using consul = await startConsul();
  const told: number[] = [];
  for (let i = 0; i < TIMES + WARM_UP; i += 1) {
    const one = { id: `web-${i}`, service: 'web', address: addresses[0] ?? '', port };
    const path = '/v1/health/service/web';
    const index = (await ask(consul, 'GET', path)).index;
    told.push(await register(consul, one, () => ask(consul, 'GET', `${path}?index=${index}&wait=60s`)));
    await wait(20);
  }
  row(`floor: register → answer of a query that Consul held, ${TIMES} times`, quantiles(told.slice(WARM_UP)));

  const frontend = (answer: number) =>
    `frontend f\n  bind ${addresses[0]}:${port + 1}\n  http-request return status 200 content-type text/plain string ${answer}`;
  await using haproxy = await startHaproxy(`${frontend(0)}\nbackend b`);
  const asked: number[] = [];
  for (let i = 0; i < TIMES; i += 1) {
    const start = performance.now();
    await haproxy.ask(`add server b/s${i} 127.0.0.1:9 ; enable server b/s${i}`);
    asked.push(performance.now() - start);
  }
  row(`floor: two commands to the Runtime API → its answer, ${TIMES} times`, quantiles(asked));
}

async function startWorld(contestant: EdgeContestant, first: Pick<Registration, 'address' | 'port'>) {
  const consul = await startConsul();
  await register(consul, { id: 'web', service: 'web', ...first }, async () => {});
  const edge = await contestant.start(consul);
  await until(edge, 'web', first.address);
  return {
    consul,
    edge,
    [Symbol.asyncDispose]: async () => {
      await edge[Symbol.asyncDispose]();
      await consul[Symbol.asyncDispose]();
    },
  };
}

function until({ port }: MeasuredEdge, service: string, address: string): Promise<void> {
  return probe(port, `${service}.service`, ({ said }) => said === address);
}
