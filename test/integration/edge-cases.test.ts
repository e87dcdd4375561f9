import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer, type Server } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { startEdge, type TestEdge } from '../harness/edge.ts';
import { type Fleet, startFleet } from '../harness/fleet.ts';
import { freePorts } from '../harness/free-port.ts';
import { request } from '../harness/request.ts';
import { openTalk, type Talk } from '../harness/talk.ts';
import { until } from '../harness/until.ts';
import { type Case, filled, readCases, type Step } from './edge-case/case.ts';
import { type CaseCatalog, createCaseCatalog } from './edge-case/case-catalog.ts';
import { type CaseWorld, differences, requestDifferences } from './edge-case/differences.ts';

/** How long the edge may take for a step that does not say more, and how long after that what held must still hold, milliseconds. */
const DEADLINE_MS = 15_000;
const SETTLE_MS = 100;

jest.setTimeout(60_000);

let consul: TestConsul;
let otherConsul: TestConsul;
let fleet: Fleet;
let edge: TestEdge;
let catalog: CaseCatalog;
/** What tells that the edge has followed: a route of its own after every change. */
let marker: CaseCatalog;
const agents = new Map<string, Agent>();
const talks = new Map<string, Talk>();
const occupied: Server[] = [];

beforeAll(async () => {
  [consul, otherConsul] = await Promise.all([startConsul(), startConsul({ datacenter: 'dc2' })]);
  await joinDatacenters();
  fleet = startFleet();
  [catalog, marker] = [createCaseCatalog(consul, fleet), createCaseCatalog(consul, fleet)];
  edge = await startEdge({ consulUrl: consul.url });
  await followed(60_000);
}, 120_000);

afterAll(async () => {
  await edge?.[Symbol.asyncDispose]();
  await fleet?.[Symbol.asyncDispose]();
  await Promise.all([consul, otherConsul].map((agent) => agent?.[Symbol.asyncDispose]()));
});

afterEach(async () => {
  for (const agent of agents.values()) agent.destroy();
  for (const talk of talks.values()) talk.close();
  for (const server of occupied.splice(0)) server.close();
  agents.clear();
  talks.clear();
  await catalog.clear();
});

test.each(readCases().map((one) => [`${one.id} ${one.title}`, one] as const))('%s', async (_, { id: __, title: ___, ...steps }) => {
  const [tcp1 = 0, tcp2 = 0, tcp3 = 0, tcp4 = 0] = await freePorts(4);
  const { http: httpPort, https: httpsPort, stats: statsPort, api: apiPort } = edge.ports;
  const own = { httpPort, httpsPort, statsPort, apiPort, consulPort: consul.httpPort, runDir: edge.runDir, bind: edge.bind };

  expect(await caseDifferences(filled(steps, { ...own, tcp1, tcp2, tcp3, tcp4 }))).toEqual([]);
  expect(edge.templater().hasEnded()).toBe(false);
});

/** Steps in order; the first that does not hold ends the case. Requests of the background are looked at in the end. */
async function caseDifferences({ then = [], ...first }: Omit<Case, 'id' | 'title'>): Promise<string[]> {
  const background: Promise<string[]>[] = [];
  for (const [i, step] of [first, ...then].entries()) {
    const found = await stepDifferences(step);
    if (found.length > 0) return found.map((text) => `step ${i + 1}: ${text}`);
    background.push(...(step.background ?? []).map((wanted) => requestDifferences(wanted, world())));
    if (background.length > 0) await wait(100); // they are under way
  }
  return (await Promise.all(background)).flat().map((text) => `meanwhile: ${text}`);
}

async function stepDifferences(step: Step): Promise<string[]> {
  const { deadlineMs = DEADLINE_MS } = step;
  await change(step);
  if (step.services !== undefined || step.deregister !== undefined || step.kv !== undefined) await followed(deadlineMs);
  await open(step.open);
  let found: string[] = [];
  const isSo = async () => {
    found = await differences(step, world());
    return found.length === 0;
  };
  await until(isSo, deadlineMs, 'what is expected').catch(() => {});
  if (found.length > 0 || step.parallel !== undefined) return found;
  await wait(SETTLE_MS); // and it stays
  const { split: _, ...held } = step;
  return (await differences(held, world())).map((text) => `held at first, then: ${text}`);
}

async function change(step: Step): Promise<void> {
  for (const port of step.occupy ?? []) {
    const server = createServer((socket) => socket.destroy()).listen(Number(port), edge.bind);
    await once(server, 'listening');
    occupied.push(server);
  }
  for (const key of step.stop ?? []) await catalog.instance(key).stop();
  for (const key of step.start ?? []) await catalog.start(key);
  for (const [key, does] of Object.entries(step.does ?? {})) catalog.instance(key).does = does ?? 'answer';
  for (const service of step.services ?? []) await catalog.register(service);
  for (const which of step.deregister ?? []) await catalog.deregister(which);
  for (const [key, value] of Object.entries(step.kv ?? {})) await catalog.setKey(key, value === null ? null : String(value));
}

async function open(wanted: Step['open'] = {}): Promise<void> {
  for (const [name, { port, upgrade }] of Object.entries(wanted)) {
    const where = { address: edge.bind, port: Number(port ?? edge.ports.http), ...(upgrade !== undefined && { upgrade }) };
    const talk = await until(() => openAnswered(where), DEADLINE_MS, `connection ${name} opens`);
    talks.set(name, talk);
  }
}

async function openAnswered(where: Parameters<typeof openTalk>[0]): Promise<Talk> {
  const talk = await openTalk(where);
  try {
    await talk.who();
    return talk;
  } catch (error) {
    talk.close();
    throw error;
  }
}

let marks = 0;

/** Waits until the edge serves a route that was registered just now, after everything before. */
async function followed(budgetMs: number): Promise<void> {
  marks += 1;
  const route = `/__mark/${marks}`;
  await marker.register({ name: 'case-mark', tags: ['haproxy', `haproxy_route=${route}`] });
  const isServed = async () => {
    const answer = await request({ address: edge.bind, port: edge.ports.http, host: 'mark.invalid', path: `${route}/x`, timeoutMs: 1_000 });
    return answer.kind === 'answer' && answer.from.service === 'case-mark';
  };
  await until(isServed, budgetMs, 'the edge follows the catalog');
}

function world(): CaseWorld {
  return { edge, catalog, talks, agentOf };
}

function agentOf(connection: string): Agent {
  const agent = agents.get(connection) ?? new Agent({ keepAlive: true, maxSockets: 1 });
  agents.set(connection, agent);
  return agent;
}

async function joinDatacenters(): Promise<void> {
  const self = (await otherConsul.ask('GET', '/v1/agent/self')) as { DebugConfig: { SerfPortWAN: number } };
  await consul.ask('PUT', `/v1/agent/join/127.0.0.1:${self.DebugConfig.SerfPortWAN}?wan=1`);
  const isKnown = async () => ((await consul.ask('GET', '/v1/catalog/datacenters')) as string[]).includes('dc2');
  await until(isKnown, 15_000, 'the datacenters see each other');
}
