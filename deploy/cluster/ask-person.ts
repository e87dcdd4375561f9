import { createInterface } from 'node:readline/promises';
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
    ask: (text) => lines.question(text),
    tell: (text) => void process.stdout.write(text),
    [Symbol.dispose]: () => lines.close(),
  };
}

/** How often an answer that is none is asked for again. */
const TRIES = 3;

/** Asks the questions, with what was answered before as defaults. Undefined when a person gave no answer to one of them. */
export async function askQuestions({ conf, own, answers }: ThisNode, person: Person): Promise<Answers | undefined> {
  const isMaster = conf.MASTERS.includes(own.address);
  person.tell(`This node is ${own.address} (${own.nic}), ${isMaster ? 'one' : 'none'} of the masters ${conf.MASTERS.join(', ')}.\n\n`);
  let roles = answers?.roles ?? new Set<Role>();
  let rest: Omit<Answers, 'roles'> = answers ?? defaultAnswers(conf, new Set<Role>(['edge']));
  for (const question of QUESTIONS) {
    const asked: Asked = { isMaster, roles, answers: rest };
    if (!question.when(asked)) continue;
    const effect = await answered(question, asked, person);
    if (effect === undefined) return undefined;
    roles = effect.roles ?? roles;
    rest = { ...rest, ...effect };
  }
  return { ...rest, roles };
}

async function answered(question: (typeof QUESTIONS)[number], asked: Asked, person: Person) {
  for (let i = 0; i < TRIES; i += 1) {
    const parsed = parseAnswer(question, await person.ask(questionText(question, asked)), asked);
    if ('effect' in parsed) return parsed.effect;
    person.tell(`  Your choice is incorrect: it ${parsed.wrong}\n`);
  }
  return undefined;
}
