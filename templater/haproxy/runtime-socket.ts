import { connect } from 'node:net';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import { MOST_PAYLOAD_BYTES } from './runtime-command.ts';

/** A command as text, with the lines of its payload if it has one. */
export interface Question {
  readonly text: string;
  readonly payload?: readonly string[];
}

/** How long HAProxy may take for an answer to a chunk of commands, milliseconds. */
const ANSWER_WITHIN_MS = 5_000;
/** What HAProxy's buffer (16 KB, less what it keeps free) holds of one command with its payload; at more it closes the connection. Bytes. */
const MOST_QUESTION_BYTES = 15_000;
const TOO_LONG = 'not sent: it is longer than HAProxy takes at run time';
const REMOVED = 'somebody removed this socket; end the master of HAProxy (haproxy.pid), and it is started anew with one';
const PROMPT = '\n> ';
/** Has the connection stay open, and each answer end with a prompt. It is answered by one. */
const PROMPT_MODE: Question = { text: 'prompt' };

/**
 * Asks a HAProxy over its socket, one connection for all questions, and gives the answers in their order, without the blank lines around them.
 * Several questions travel together, in chunks that its buffer holds; one that it cannot hold is answered without being asked.
 * @throws OperationError when the socket cannot be reached, or an answer does not come in time.
 */
export async function ask(socketPath: string, questions: readonly Question[], signal: AbortSignal): Promise<readonly string[]> {
  if (questions.length === 0) return [];
  const session = await openSession(socketPath, signal);
  try {
    const answers: string[] = [];
    for (const chunk of chunks([PROMPT_MODE, ...questions.filter(canBeSent)]))
      answers.push(...(await session.exchange(chunk.map(wire).join(''), chunk.length)));
    const left = answers.slice(1).values();
    return questions.map((question) => (canBeSent(question) ? (left.next().value ?? '') : TOO_LONG));
  } finally {
    session.close();
  }
}

function canBeSent(question: Question): boolean {
  return question.payload === undefined || Buffer.byteLength(wire(question)) <= MOST_QUESTION_BYTES;
}

function wire({ text, payload }: Question): string {
  return payload === undefined ? `${text}\n` : `${text}\n${payload.join('\n')}\n\n`;
}

function chunks(questions: readonly Question[]): Question[][] {
  const all: Question[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const question of questions) {
    const length = wire(question).length;
    bytes += length;
    if (bytes > MOST_PAYLOAD_BYTES) {
      all.push([]);
      bytes = length;
    }
    all.at(-1)?.push(question);
  }
  return all;
}

interface Session {
  /** Sends text and waits for a number of prompts; answers what stood before each. */
  readonly exchange: (text: string, prompts: number) => Promise<string[]>;
  readonly close: () => void;
}

function openSession(socketPath: string, signal: AbortSignal): Promise<Session> {
  const failed = (cause: Error, hint = cause.message) => new OperationError('ask HAProxy', { subject: socketPath, cause, hint });
  return new Promise((opened, refused) => {
    let settle: { resolve: (answers: string[]) => void; reject: (error: Error) => void; prompts: number } | undefined;
    let received = ['\n'];
    let end = '\n';
    const socket = connect({ path: socketPath });
    const fail = (error: Error) => {
      socket.destroy();
      refused(error);
      settle?.reject(error);
    };
    const abort = () => fail(failed(new Error('told to end')));
    signal.addEventListener('abort', abort, { once: true });
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_WITHIN_MS, () => fail(failed(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`))));
    socket.on('error', (cause) => fail(failed(cause, isSystemError(cause, 'ENOENT') ? REMOVED : cause.message)));
    socket.on('close', () => fail(failed(new Error('HAProxy closed the connection'))));
    socket.on('data', (text: string) => {
      received.push(text);
      // The text of thousands of servers comes in many pieces, and is put together once.
      end = (end + text).slice(-PROMPT.length);
      if (settle === undefined || end !== PROMPT) return;
      const parts = received.join('').split(PROMPT);
      if (parts.length <= settle.prompts) return;
      const answers = parts.slice(0, settle.prompts).map(withoutFrame);
      received = ['\n'];
      end = '\n';
      settle.resolve(answers);
      settle = undefined;
    });
    socket.on('connect', () =>
      opened({
        exchange: (text, prompts) =>
          new Promise((resolve, reject) => {
            settle = { resolve, reject, prompts };
            socket.write(text);
          }),
        close: () => {
          signal.removeEventListener('abort', abort);
          socket.destroy();
        },
      }),
    );
  });
}

/** Without blank lines at both ends, and without the `+ ` that stands for each line of a payload. */
function withoutFrame(answer: string): string {
  return answer.replace(/^\s*(?:\+ )*/, '').trim();
}
