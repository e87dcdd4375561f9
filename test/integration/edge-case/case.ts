import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Behaviour } from '../../harness/fleet.ts';
import type { TestRegistration } from '../../harness/registered.ts';

/** An instance of a case; what a service says counts for all its instances. */
export interface CaseInstance {
  readonly tags?: readonly string[];
  readonly health?: NonNullable<TestRegistration['health']>;
  readonly kind?: 'http' | 'tcp';
  readonly node?: string;
  /** `{listen}` is the address that it listens on. */
  readonly nodeAddress?: string;
  readonly nodeHealth?: string;
  /** What is registered, when it is not where it listens. */
  readonly address?: string;
  readonly port?: number;
  readonly listen?: string;
  readonly consulId?: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly does?: Behaviour;
  /** It listens elsewhere from now on. */
  readonly move?: boolean;
}

export interface CaseService extends CaseInstance {
  readonly name: string;
  /** How many (called a, b, c, …), or each with what it has of its own. */
  readonly instances?: number | readonly ({ readonly id: string } & CaseInstance)[];
}

/** A text or a list of which it is one. */
type OneOf<Value> = Value | readonly Value[];
/** A value, null for absent, a pattern, or any other value than this. */
export type HeaderExpectation = string | null | { readonly matches: string } | { readonly not: string };

export interface AnswerExpectation {
  readonly refused?: boolean;
  /** No answer at all is as good: HAProxy 3.4 hangs up where others answer 400. */
  readonly orRefused?: boolean;
  readonly status?: OneOf<number>;
  readonly service?: OneOf<string>;
  readonly instance?: OneOf<string>;
  readonly method?: OneOf<string>;
  readonly path?: OneOf<string>;
  readonly host?: OneOf<string>;
  readonly bodyBytes?: OneOf<number>;
  readonly continued?: boolean;
  readonly text?: string;
  readonly minBytes?: number;
  readonly headers?: Readonly<Record<string, HeaderExpectation>>;
  readonly responseHeaders?: Readonly<Record<string, HeaderExpectation>>;
}

export interface CaseRequest {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyBytes?: number;
  readonly chunked?: boolean;
  readonly expect100?: boolean;
  /** Requests that name the same connection share one, and go one after the other. */
  readonly connection?: string;
  /** Bytes as they are. */
  readonly raw?: string;
  readonly port?: number | string;
  readonly via?: 'stats' | 'api';
  readonly times?: number;
  /** All answers have one of it. */
  readonly same?: 'service';
  readonly expect: AnswerExpectation;
}

export interface Split {
  readonly requests: number;
  readonly host?: string;
  readonly path?: string;
  readonly tcp?: number | string;
  readonly by?: 'instance' | 'service';
  /** Lowest and highest share by instance; one that is not named must get none. */
  readonly expect: Readonly<Record<string, readonly [number, number]>>;
}

export interface Talker {
  readonly service: string;
  readonly instance?: OneOf<string>;
}

/** What happens, then what holds soon afterwards. */
export interface Step {
  readonly services?: readonly CaseService[];
  readonly deregister?: readonly string[];
  readonly kv?: Readonly<Record<string, string | number | null>>;
  readonly does?: Readonly<Record<string, Behaviour | null>>;
  readonly stop?: readonly string[];
  readonly start?: readonly string[];
  readonly occupy?: readonly (number | string)[];
  readonly requests?: readonly CaseRequest[];
  readonly tcp?: readonly {
    readonly port: number | string;
    readonly times?: number;
    readonly same?: boolean;
    readonly expect: Talker | 'none';
  }[];
  readonly split?: Split;
  readonly parallel?: {
    readonly count: number;
    readonly service: string;
    readonly host: string;
    readonly path?: string;
    readonly expect: { readonly status?: number; readonly mostAtOnce: readonly [number, number] };
  };
  readonly open?: Readonly<
    Record<string, { readonly port?: number | string; readonly upgrade?: { readonly host: string; readonly path: string } }>
  >;
  readonly talk?: Readonly<Record<string, Talker>>;
  readonly background?: readonly CaseRequest[];
  readonly status?: {
    readonly problems?: readonly { readonly contains: readonly (string | number)[] }[];
    readonly unnamed?: readonly string[];
  };
  readonly absentFiles?: readonly string[];
  readonly deadlineMs?: number;
}

export interface Case extends Step {
  readonly id: string;
  readonly title: string;
  readonly then?: readonly Step[];
}

export function readCases(): readonly Case[] {
  return ['cases.json', 'option-cases.json', 'more-cases.json'].flatMap((name) => {
    const file = fileURLToPath(new URL(`../../fixtures/edge/${name}`, import.meta.url));
    return JSON.parse(readFileSync(file, 'utf8')) as readonly Case[];
  });
}

/** The case with values for its placeholders; `{x*100}` is a hundred x. */
export function filled<Value>(value: Value, values: Readonly<Record<string, string | number>>): Value {
  const fill = (text: string) =>
    text
      .replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole))
      .replace(/\{(.)\*(\d+)\}/gsu, (_, character: string, times: string) => character.repeat(Number(times)));
  const deep = (item: unknown): unknown => {
    if (typeof item === 'string') return fill(item);
    if (Array.isArray(item)) return item.map(deep);
    if (item === null || typeof item !== 'object') return item;
    return Object.fromEntries(Object.entries(item).map(([key, inner]) => [fill(key), deep(inner)]));
  };
  return deep(value) as Value;
}
