import { createInterface } from 'node:readline/promises';
import { OperationError } from '../../daemon/operation-error.ts';
import type { Answers } from './answers.ts';
import { defaultAnswers } from './answers.ts';
import { type Asked, parseAnswer, QUESTIONS, questionText } from './questions.ts';
import type { ThisNode } from './read-node.ts';
import type { Role } from './roles.ts';

/** A terminal with a person at it. */
export interface Person extends Disposable {
  /** Shows a text and answers the line that was typed. */
  readonly ask: (text: string) => Promise<string>;
  readonly tell: (text: string) => void;
}

/** This process's own terminal; undefined when there is none. */
export function personAtTerminal(): Person | undefined {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return undefined;
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  return {
    ask: (text) =>
      lines.question(text).catch((cause: unknown) => {
        if (!(cause instanceof Error) || cause.name !== 'AbortError') throw cause;
        throw new OperationError('ask', { cause, hint: 'the terminal ended the answer; nothing was changed' });
      }),
    tell: (text) => void process.stdout.write(text),
    [Symbol.dispose]: () => lines.close(),
  };
}

/** How often an answer that is none is asked for again. */
const TRIES = 3;

/** Asks the questions, with what was answered before as defaults. Undefined when a person gave no answer to one of them. */
export async function askQuestions({ conf, told, own, answers }: ThisNode, person: Person): Promise<Answers | undefined> {
  const isMaster = conf.MASTERS.includes(own.address);
  person.tell(`This node is ${own.address} (${own.nic}), ${isMaster ? 'one' : 'none'} of the masters ${conf.MASTERS.join(', ')}.\n\n`);
  let roles = answers?.roles ?? new Set<Role>();
  let rest: Omit<Answers, 'roles'> = defaultAnswers(conf, new Set<Role>(['edge']));
  for (const question of QUESTIONS) {
    const asked: Asked = { isMaster, roles, answers: rest, told };
    if (!question.when(asked)) continue;
    const effect = await answered(question, asked, person);
    if (effect === undefined) return undefined;
    roles = effect.roles ?? roles;
    rest = { ...rest, ...effect };
  }
  return { ...rest, vip: roles.has('edge') ? rest.vip : undefined, roles };
}

/** Whether a person says yes, as an empty line does too; what is neither yes nor no is asked again, and no at last. */
export async function isConfirmed(text: string, person: Person): Promise<boolean> {
  for (let i = 0; i < TRIES; i += 1) {
    const answer = (await person.ask(text)).trim().toLowerCase();
    if (['', 'y', 'yes'].includes(answer)) return true;
    if (['n', 'no'].includes(answer)) return false;
    person.tell('  y or n\n');
  }
  return false;
}

async function answered(question: (typeof QUESTIONS)[number], asked: Asked, person: Person) {
  for (let i = 0; i < TRIES; i += 1) {
    const parsed = parseAnswer(question, await person.ask(questionText(question, asked)), asked);
    if ('effect' in parsed) return parsed.effect;
    person.tell(`  Your choice is incorrect: it ${parsed.wrong}\n`);
  }
  return undefined;
}
