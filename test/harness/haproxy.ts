import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type RunningProgram, startProgram } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

export interface TestHaproxy extends AsyncDisposable {
  /** The master's process. */
  readonly pid: number;
  /** Runtime API of the worker, and the socket of the master. */
  readonly socket: string;
  readonly masterSocket: string;
  readonly configFile: string;
  readonly output: () => string;
  /** One command to the worker's Runtime API; answers without the newlines at the end. */
  readonly ask: (command: string) => Promise<string>;
  readonly askMaster: (command: string) => Promise<string>;
  /** Writes another configuration, without loading it. */
  readonly write: (sections: string) => Promise<void>;
}

/** A real HAProxy in master-worker mode in a folder of its own. `sections` come after a `global` and a `defaults` of the harness. */
export async function startHaproxy(sections: string, { binary = 'haproxy' }: { readonly binary?: string } = {}): Promise<TestHaproxy> {
  const folder = await tempDir();
  const [socket, masterSocket, configFile] = ['worker.sock', 'master.sock', 'haproxy.cfg'].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  const write = (text: string) => writeFile(configFile, `${preamble(socket)}\n${text}\n`);
  await write(sections);
  const program: RunningProgram = await startProgram(binary, ['-W', '-db', '-S', masterSocket, '-f', configFile]);
  await until(() => isUp(socket, masterSocket, program), 10_000, 'HAProxy answers on its sockets').catch((error: unknown) => {
    throw new Error(`${String(error)}\n${program.output()}`, { cause: error });
  });
  return {
    pid: program.pid,
    socket,
    masterSocket,
    configFile,
    output: program.output,
    ask: (command) => askSocket(socket, command),
    askMaster: (command) => askSocket(masterSocket, command),
    write,
    [Symbol.asyncDispose]: async () => {
      await program.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function preamble(socket: string): string {
  return `global
  stats socket ${socket} mode 600 level admin expose-fd listeners
  stats timeout 10s
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout tunnel 60s`;
}

async function isUp(socket: string, masterSocket: string, program: RunningProgram): Promise<boolean> {
  if (program.hasEnded()) throw new Error('HAProxy has ended');
  const [worker, master] = await Promise.all([askSocket(socket, 'show info', 200), askSocket(masterSocket, 'show proc', 200)]);
  return worker.includes('Version') && master.includes('worker');
}

/** One command to a socket of HAProxy: it answers and closes. The master closes only once we have said that nothing follows. */
export async function askSocket(path: string, command: string, timeoutMs = 5_000): Promise<string> {
  return await new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path, () => socket.end(`${command}\n`)).setEncoding('utf8');
    socket.on('data', (text) => (answer += text));
    socket.on('end', () => resolve(answer.replace(/\n+$/, '')));
    socket.on('error', reject);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`${path} did not answer ${command} within ${timeoutMs} ms`)));
  });
}
