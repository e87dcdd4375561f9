import { freePort } from './free-port.ts';
import { startProgram } from './program.ts';
import { request } from './request.ts';
import { until } from './until.ts';

/** An instance that is a process of its own, so that the kernel ends its connections when it is killed. */
export interface ProcessInstance extends AsyncDisposable {
  readonly id: string;
  readonly port: number;
  /** `kill -9`. */
  readonly kill: () => Promise<void>;
}

const ANSWERS = `const { createServer } = require('node:http');
const [port, service, instance] = process.argv.slice(1);
createServer({ keepAliveTimeout: 120000 }, (_, response) => response.end(JSON.stringify({ service, instance }))).listen(Number(port), '127.0.0.1');`;

/** Answers every request with who it is, as an instance of a fleet does. Resolves when it answers. */
export async function startProcessInstance(service: string, id: string): Promise<ProcessInstance> {
  const port = await freePort();
  const program = await startProgram(process.execPath, ['-e', ANSWERS, String(port), service, id], { env: { NODE_OPTIONS: undefined } });
  await until(async () => (await request({ port })).kind === 'answer', 15_000, `${service}/${id} answers: ${program.output()}`);
  return {
    id,
    port,
    kill: async () => {
      program.signal('SIGKILL');
      await program.ended;
    },
    [Symbol.asyncDispose]: program[Symbol.asyncDispose],
  };
}
