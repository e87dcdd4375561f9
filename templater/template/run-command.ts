import { Socket } from 'node:net';
import { OperationError } from '../../daemon/operation-error.ts';
import { type Environment, environmentFor, NO_ENV_RULES } from './environment.ts';
import { nodeChildProcess } from './lazy-packages.ts';
import type { CommandConfig } from './template-config.ts';

/** How much of what a command wrote is kept for the error, characters. */
const KEPT_OUTPUT = 2_000;

/**
 * Runs a command to its end with this program's environment and what `told` adds, as far as its rules let it see them, in a process group of its own, which is killed when it takes too long or the signal aborts.
 * What it writes goes to stderr.
 * @throws OperationError when it cannot be started, fails, takes too long or is aborted.
 */
export async function runCommand(
  { command, timeoutMs, envRules = NO_ENV_RULES }: CommandConfig,
  told: Environment,
  signal: AbortSignal,
): Promise<void> {
  const [file = '', ...args] = commandWords(command);
  const subject = shownCommand(command);
  if (signal.aborted) throw new OperationError('run command', { subject, hint: 'the program is ending' });
  const env = environmentFor(envRules, told, process.env);
  const child = nodeChildProcess().spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT);
      process.stderr.write(text);
    });
  }
  let killedFor: string | undefined;
  const kill = (why: string) => {
    killedFor ??= why;
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const late = setTimeout(() => kill(`it took longer than ${timeoutMs} ms and was killed`), timeoutMs);
  const aborted = () => kill('the program is ending');
  signal.addEventListener('abort', aborted);
  try {
    const how = await new Promise<string | undefined>((resolve, reject) => {
      child.once('error', reject);
      // What it left in the background may keep its output open.
      child.once('exit', (code, name) => resolve(code === 0 ? undefined : `it ended with ${code ?? name}`));
    });
    const wrong = killedFor ?? how;
    if (wrong !== undefined)
      throw new OperationError('run command', { subject, hint: [wrong, withoutSecrets(output, env).trim()].filter(Boolean).join(': ') });
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('run command', { subject, cause });
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', aborted);
    // What is still heard of the background keeps nobody from ending.
    for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
  }
}

/** Names of variables whose values are nobody's business. */
const SECRET_NAME = /TOKEN|SECRET|PASSW|AUTH|CREDENTIAL|PRIVATE|APIKEY|_KEY$/i;
/** What is shorter is no secret, and would blacken half of a text. */
const LEAST_SECRET = 6;

/** What a command wrote, for status and log, without the secrets of its environment. Pure. */
export function withoutSecrets(output: string, env: Environment): string {
  const secrets = Object.entries(env).flatMap(([name, value = '']) =>
    SECRET_NAME.test(name) && value.length >= LEAST_SECRET ? [value] : [],
  );
  return secrets.sort((a, b) => b.length - a.length).reduce((text, secret) => text.replaceAll(secret, '***'), output);
}

/** consul-template's rule: a list as it is, a text with white space by the shell, a single word as a program. */
export function commandWords(command: string | readonly string[]): readonly string[] {
  if (typeof command !== 'string') return command.length === 1 && command[0] !== undefined ? commandWords(command[0]) : command;
  return /\s/.test(command.trim()) ? ['sh', '-c', command] : [command.trim()];
}

export function shownCommand(command: string | readonly string[]): string {
  return typeof command === 'string' ? command : command.join(' ');
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
