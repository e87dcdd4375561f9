import { existsSync } from 'node:fs';
import type { Agent } from 'node:http';
import type { TestEdge } from '../../harness/edge.ts';
import { type Answer, rawRequest, request } from '../../harness/request.ts';
import { openTalk, type Talk } from '../../harness/talk.ts';
import type { AnswerExpectation, CaseRequest, HeaderExpectation, Split, Step, Talker } from './case.ts';
import type { CaseCatalog } from './case-catalog.ts';

/** Where a step's expectations are tried. */
export interface CaseWorld {
  readonly edge: TestEdge;
  readonly catalog: CaseCatalog;
  readonly agentOf: (connection: string) => Agent;
  readonly talks: ReadonlyMap<string, Talk>;
}

/** What a step expects and does not find, a text each; empty when all holds. */
export async function differences(step: Step, world: CaseWorld): Promise<string[]> {
  const found: string[] = [];
  for (const wanted of step.requests ?? []) found.push(...(await requestDifferences(wanted, world)));
  for (const wanted of step.tcp ?? []) found.push(...(await tcpDifferences(wanted, world)));
  for (const [name, wanted] of Object.entries(step.talk ?? {})) found.push(...(await talkDifferences(name, wanted, world)));
  if (step.split !== undefined) found.push(...(await splitDifferences(step.split, world)));
  if (step.parallel !== undefined) found.push(...(await parallelDifferences(step.parallel, world)));
  if (step.status !== undefined) found.push(...(await statusDifferences(step.status, world)));
  for (const file of step.absentFiles ?? []) if (existsSync(file)) found.push(`${file} should not exist`);
  return found;
}

type Sent = Omit<CaseRequest, 'expect' | 'times' | 'same'>;

function send({ via, raw, port, connection, bodyBytes, ...rest }: Sent, { edge, agentOf }: CaseWorld): Promise<Answer> {
  const target = { address: edge.bind, port: port === undefined ? edge.ports[via ?? 'http'] : Number(port) };
  if (raw !== undefined) return rawRequest({ ...target, raw });
  const body = bodyBytes === undefined ? rest.body : 'x'.repeat(bodyBytes);
  return request({
    ...rest,
    ...target,
    ...(body !== undefined && { body }),
    ...(connection !== undefined && { agent: agentOf(connection) }),
  });
}

export async function requestDifferences({ expect, times = 1, same, ...sent }: CaseRequest, world: CaseWorld): Promise<string[]> {
  const label = `${sent.method ?? 'GET'} ${sent.host ?? '(no host)'}${sent.raw === undefined ? (sent.path ?? '/') : ' raw'}`.slice(0, 160);
  const found: string[] = [];
  const seen = new Set<unknown>();
  for (let i = 0; i < times; i += 1) {
    const answer = await send(sent, world);
    if (same !== undefined && answer.kind === 'answer') seen.add(answer.from[same]);
    found.push(...answerDifferences(expect, answer).map((text) => `${label}: ${text}`));
  }
  if (seen.size > 1) found.push(`${label}: expected one ${same}, got ${[...seen].join(', ')}`);
  return found;
}

const isOneOf = (wanted: unknown, got: unknown) => (Array.isArray(wanted) ? wanted.includes(got) : wanted === got);

function answerDifferences(expected: AnswerExpectation, answer: Answer): string[] {
  if (expected.refused === true) return answer.kind === 'error' ? [] : [`expected no answer, got ${answer.status}`];
  if (answer.kind === 'error' && expected.orRefused === true) return [];
  if (answer.kind === 'error') return [`expected ${JSON.stringify(expected).slice(0, 200)}, got the error ${answer.error}`];
  const { status, from, text, continued, headers } = answer;
  const who = from.service === undefined ? JSON.stringify(text.slice(0, 60)) : `from ${from.service}/${from.instance}`;
  if (!isOneOf(expected.status ?? 200, status)) return [`expected status ${expected.status ?? 200}, got ${status} ${who}`];
  const fields = (['service', 'instance', 'method', 'path', 'host', 'bodyBytes'] as const).filter(
    (field) => expected[field] !== undefined && !isOneOf(expected[field], from[field]),
  );
  return [
    ...fields.map((field) => `expected ${field} ${JSON.stringify(expected[field])}, got ${JSON.stringify(from[field])}`),
    ...(expected.continued !== undefined && continued !== expected.continued ? [`expected 100 Continue ${expected.continued}`] : []),
    ...(expected.text !== undefined && !text.includes(expected.text) ? [`expected a body with ${expected.text}, got ${who}`] : []),
    ...(expected.minBytes !== undefined && text.length < expected.minBytes
      ? [`expected ${expected.minBytes} bytes, got ${text.length}`]
      : []),
    ...headerDifferences(expected.headers, from.headers, 'request header'),
    ...headerDifferences(expected.responseHeaders, headers, 'response header'),
  ];
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function headerDifferences(expected: Readonly<Record<string, HeaderExpectation>> = {}, got: Headers = {}, kind = ''): string[] {
  return Object.entries(expected)
    .filter(([name, wanted]) => !holds(wanted, got[name]))
    .map(([name, wanted]) => `expected ${kind} ${name} ${JSON.stringify(wanted)}, got ${JSON.stringify(got[name])}`);
}

function holds(wanted: HeaderExpectation, got: string | string[] | undefined): boolean {
  if (wanted === null) return got === undefined;
  if (typeof wanted === 'string') return got === wanted;
  if ('matches' in wanted) return new RegExp(wanted.matches).test(String(got ?? ''));
  return got !== undefined && got !== '' && got !== wanted.not;
}

function isTalker({ service, instance }: Talker, got: string): boolean {
  const [gotService, gotInstance] = got.split('/');
  return service === gotService && (instance === undefined || isOneOf(instance, gotInstance));
}

async function tcpDifferences(
  { port, times = 1, same = false, expect }: NonNullable<Step['tcp']>[number],
  world: CaseWorld,
): Promise<string[]> {
  const seen = new Set<string>();
  for (let i = 0; i < times; i += 1) seen.add(await tcpAnswer(Number(port), world.edge));
  const wrong = [...seen].filter((got) => (expect === 'none' ? got !== 'none' : !isTalker(expect, got)));
  return [
    ...wrong.map((got) => `tcp ${port}: expected ${JSON.stringify(expect)}, got ${got}`),
    ...(same && seen.size > 1 ? [`tcp ${port}: expected one owner, got ${[...seen].join(', ')}`] : []),
  ];
}

/** `service/instance`, or `none` where nothing listens or nobody answers. */
async function tcpAnswer(port: number, { bind }: TestEdge): Promise<string> {
  const talk = await openTalk({ address: bind, port }).catch(() => undefined);
  const who = await talk?.who().catch(() => undefined);
  talk?.close();
  return who ?? 'none';
}

async function talkDifferences(name: string, wanted: Talker, { talks }: CaseWorld): Promise<string[]> {
  const got = await (talks.get(name)?.who() ?? Promise.reject(new Error('it was not opened'))).catch(String);
  return isTalker(wanted, got) ? [] : [`connection ${name}: expected ${JSON.stringify(wanted)}, got ${got}`];
}

const SPLIT_CLIENTS = 8;

async function splitDifferences({ requests, expect, by = 'instance', tcp, ...sent }: Split, world: CaseWorld): Promise<string[]> {
  const counts = new Map<string, number>();
  let sentSoFar = 0;
  const client = async () => {
    while (sentSoFar < requests) {
      sentSoFar += 1;
      const who =
        tcp === undefined ? whoAnswered(await send(sent, world), by) : ((await tcpAnswer(Number(tcp), world.edge)).split('/')[1] ?? 'none');
      counts.set(who, (counts.get(who) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: SPLIT_CLIENTS }, client));
  const isWrong = ([who, [low, high]]: readonly [string, readonly [number, number]]) => {
    const share = (counts.get(who) ?? 0) / requests;
    return share < low || share > high;
  };
  const strangers = [...counts.keys()].filter((who) => !Object.hasOwn(expect, who));
  const got = [...counts].map(([who, count]) => `${who} ${((count / requests) * 100).toFixed(1)} %`).join(', ');
  return strangers.length === 0 && !Object.entries(expect).some(isWrong)
    ? []
    : [`split of ${requests}: expected ${JSON.stringify(expect)}, got ${got}`];
}

function whoAnswered(answer: Answer, by: 'instance' | 'service'): string {
  if (answer.kind === 'error') return answer.error;
  return answer.from[by] ?? `status ${answer.status}`;
}

async function parallelDifferences(
  { count, service, expect, ...sent }: NonNullable<Step['parallel']>,
  world: CaseWorld,
): Promise<string[]> {
  const instances = world.catalog.instancesOf(service);
  for (const instance of instances) instance.forgetMostAtOnce();
  const answers = await Promise.all(Array.from({ length: count }, () => send(sent, world)));
  const failed = answers.filter((answer) => answer.kind === 'error' || answer.status !== (expect.status ?? 200));
  const most = Math.max(...instances.map((instance) => instance.mostAtOnce()));
  const [low, high] = expect.mostAtOnce;
  return [
    ...(failed.length > 0
      ? [`${count} requests at once: ${failed.length} failed, one with ${JSON.stringify(failed[0]).slice(0, 100)}`]
      : []),
    ...(most < low || most > high ? [`${count} requests at once: expected ${low} to ${high} at an instance, got ${most}`] : []),
  ];
}

async function statusDifferences({ problems = [], unnamed = [] }: NonNullable<Step['status']>, { edge }: CaseWorld): Promise<string[]> {
  const told = (await edge.status()).problems.map((problem) => JSON.stringify(problem).toLowerCase());
  const names = (text: string, word: string | number) => text.includes(String(word).toLowerCase());
  const missing = problems.filter(({ contains }) => !told.some((text) => contains.every((word) => names(text, word))));
  return [
    ...missing.map(({ contains }) => `/status: expected a problem with ${contains.join(' and ')}, got ${told.join(' ').slice(0, 300)}`),
    ...unnamed.filter((word) => told.some((text) => names(text, word))).map((word) => `/status: expected no problem that names ${word}`),
  ];
}
