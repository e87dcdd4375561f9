import { ExecaError, execa } from 'execa';
import { OperationError } from '../../daemon/operation-error.ts';
import { withoutHashes } from '../../model/edge-user.ts';
import type { HaproxyFeatures } from './render.ts';

/** The oldest HAProxy that takes servers at run time without being asked to experiment. */
const OLDEST = [2, 6] as const;
/** The first that takes backends at run time. */
const ADDS_BACKENDS = [3, 4] as const;
const CHECK_WITHIN_MS = 30_000;

/** What an installed HAProxy can do. @throws OperationError when it is missing or too old. */
export async function readFeatures(haproxy: string, signal: AbortSignal): Promise<HaproxyFeatures> {
  const { stdout } = await run(haproxy, ['-vv'], 'run HAProxy', haproxy, signal);
  const [, major = '0', minor = '0'] = /version (\d+)\.(\d+)/.exec(stdout) ?? [];
  const isFrom = ([oldMajor, oldMinor]: readonly [number, number]) =>
    Number(major) > oldMajor || (Number(major) === oldMajor && Number(minor) >= oldMinor);
  if (!isFrom(OLDEST)) {
    throw new OperationError('run HAProxy', {
      subject: haproxy,
      hint: `it is version ${major}.${minor}; ${OLDEST.join('.')} or newer is needed`,
    });
  }
  return {
    version: `${major}.${minor}`,
    prometheus: /\+PROMEX|USE_PROMEX=1|prometheus-exporter/i.test(stdout),
    addsBackends: isFrom(ADDS_BACKENDS),
  };
}

/** Asks HAProxy whether a configuration is valid. @throws OperationError with what it said when it is not. */
export async function checkConfig(haproxy: string, file: string, signal: AbortSignal): Promise<void> {
  await run(haproxy, ['-c', '-f', file], 'check the HAProxy configuration', file, signal);
}

async function run(haproxy: string, args: string[], operation: string, subject: string, signal: AbortSignal): Promise<{ stdout: string }> {
  try {
    const { stdout } = await execa(haproxy, args, { cancelSignal: signal, timeout: CHECK_WITHIN_MS, stdin: 'ignore' });
    return { stdout };
  } catch (cause) {
    if (!(cause instanceof ExecaError)) throw cause;
    const said = String(cause.stderr ?? '').trim();
    const hint = said === '' ? cause.shortMessage : withoutHashes(alertsOf(said));
    // biome-ignore lint/style/useErrorCause: what HAProxy said holds the line at fault, with hashes of passwords in it
    throw new OperationError(operation, { subject, cause: new Error(cause.shortMessage), hint });
  }
}

/** The lines in which HAProxy says what is wrong, of all that it says. */
function alertsOf(said: string): string {
  const alerts = said.split('\n').filter((line) => line.includes('[ALERT]'));
  return (alerts.length > 0 ? alerts : said.split('\n')).slice(0, 5).join('\n');
}
