import { readFile } from 'node:fs/promises';
import { live } from '../../daemon/live.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { sleep } from '../../daemon/sleep.ts';
import { duration, flag, text } from '../../daemon/values.ts';
import { command, wrongUsage } from '../command.ts';
import { createProgress, type Progress, STDOUT, shownDuration } from '../progress.ts';
import { type AppDefinition, readAppDefinition } from './app-definition.ts';
import { createMarathonApi, type MarathonApi } from './marathon-api.ts';

const HELP = 'toots marathon -help';
const LOOK_EVERY_MS = 500;

/** Deploys Marathon's app definitions and waits for them. */
export const marathonCommand = command(
  {
    name: 'marathon',
    usage: 'deploy FILE… [options]',
    line: 'Deploys Marathon apps, JSON or YAML, and waits until they run; back on failure',
    about:
      'Reads app definitions, JSON or YAML, with %%NAME%% replaced from the environment; tells all that is wrong with them before anything is\n' +
      'deployed; deploys one after the other, each when the last one runs and is healthy.',
    options: {
      url: {
        flag: 'marathon',
        env: ['MARATHON_URL'],
        value: 'URL',
        schema: text('http://127.0.0.1:8080'),
        describe: 'Marathon’s address',
      },
      credentials: {
        flag: 'credentials',
        env: ['MARATHON_CREDENTIALS'],
        value: 'USER:PASSWORD',
        secret: true,
        schema: text(),
        describe: 'What Marathon asks for',
      },
      force: { flag: 'force', schema: flag(), describe: 'Takes the place of a deployment of the same app that goes on' },
      rollback: { flag: 'rollback', schema: flag(), describe: 'Goes back to what was before when an app does not run in time' },
      noWait: { flag: 'no-wait', schema: flag(), describe: 'Ends when Marathon has taken it' },
      waitMs: {
        flag: 'wait',
        value: 'DURATION',
        schema: duration('5m'),
        describe: 'How long one app may take until it runs and is healthy',
      },
    },
    positionals: { least: 2, most: 1_000 },
  },
  async ({ url, credentials, force, rollback, noWait, waitMs }, [word, ...files]) => {
    if (word !== 'deploy') return wrongUsage([`unknown word ${JSON.stringify(word)}; there is: deploy`], HELP);
    if (!isHttpUrl(url)) return wrongUsage([`-marathon must be a URL such as http://10.0.0.1:8080, got ${JSON.stringify(url)}`], HELP);
    const { apps, problems } = await readApps(files);
    if (problems.length > 0) return wrongUsage(problems, HELP);
    const api = createMarathonApi(url, credentials);
    return await live(async (signal) => {
      const progress = createProgress(STDOUT);
      for (const app of apps) {
        const deployment = await api.deploy(app, force);
        if (noWait) progress.note(`${app.id}: deployment ${deployment}`);
        else await waitForApp({ api, app, deployment, rollback, waitMs }, progress, signal);
      }
      return 0;
    });
  },
);

/** `localhost:8080` parses too, as a URL of the scheme localhost. */
function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

async function readApps(
  files: readonly string[],
): Promise<{ readonly apps: readonly AppDefinition[]; readonly problems: readonly string[] }> {
  const apps: AppDefinition[] = [];
  const problems: string[] = [];
  for (const file of files) {
    const content = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new OperationError('read the app', { subject: file, cause });
    });
    const read = readAppDefinition(file, content, process.env);
    if (read.kind === 'wrong') problems.push(...read.problems);
    else apps.push(read.app);
  }
  return { apps, problems };
}

interface Deploying {
  readonly api: MarathonApi;
  readonly app: AppDefinition;
  readonly deployment: string;
  readonly rollback: boolean;
  readonly waitMs: number;
}

/** @throws OperationError when it does not run in time; with `rollback` it is as before by then. */
async function waitForApp({ api, app, deployment, rollback, waitMs }: Deploying, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await progress.step(
      `Deploying ${app.id}`,
      () => waitForDeployment(api, deployment, waitMs, signal),
      () => '',
    );
  } catch (cause) {
    if (!(cause instanceof OperationError)) throw cause;
    const { running, instances, healthy, lastFailure } = await api.app(app.id);
    const how = `${running} of ${instances} run${healthy === undefined ? '' : `, ${healthy} healthy`}${lastFailure === undefined ? '' : `; the last that failed said: ${lastFailure}`}`;
    if (!rollback)
      throw new OperationError('deploy', { subject: app.id, cause, hint: `${cause.hint}; ${how}. It goes on; -rollback goes back` });
    const back = await api.rollBack(deployment);
    await progress.step(`Taking ${app.id} back`, () => waitForDeployment(api, back, waitMs, signal));
    throw new OperationError('deploy', { subject: app.id, cause, hint: `${cause.hint}; ${how}. It is as before again` });
  }
  const { running, instances, healthy } = await api.app(app.id);
  progress.note(`${app.id}: ${running} of ${instances} run${healthy === undefined ? '' : `, ${healthy} healthy`}`);
}

async function waitForDeployment(api: MarathonApi, deployment: string, waitMs: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + waitMs;
  while ((await api.deployments()).has(deployment)) {
    if (performance.now() > end)
      throw new OperationError('wait for the deployment', { subject: deployment, hint: `it goes on after ${shownDuration(waitMs)}` });
    await sleep(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}
