import * as v from 'valibot';
import { askHttp } from '../ask.ts';
import { stateOption } from '../cluster/node-options.ts';
import { isWell as isDaemonWell, isNode, nodeStateText, readNodeState } from '../cluster/node-state.ts';
import { command } from '../command.ts';
import { engineVersion } from '../host/docker-engine.ts';
import { isRunning, processesOf } from '../host/process-identity.ts';
import { type DemoState, demoFiles, isUp, readDemoState } from './demo-state.ts';
import { type ExampleContainer, listExamples } from './example-containers.ts';
import { runDirOption } from './run-dir.ts';

/** How the demo of this machine is. */
export const statusCommand = command(
  {
    name: 'status',
    usage: '',
    line: 'How the node and the demo of this machine are: daemons, containers, problems',
    about:
      'Shows the daemons of the node of this machine, the programs and containers of its demo, and what they refuse. Exit 0 when all is well,\n' +
      'else 1.',
    options: { runDir: runDirOption, stateDir: stateOption },
  },
  async ({ runDir, stateDir }) => {
    const files = demoFiles(runDir);
    const state = await readDemoState(files);
    if (isNode(stateDir)) {
      const daemons = await readNodeState(stateDir);
      const problems = [...(await problemsOf(9181)), ...(await problemsOf(9182))].map((problem) => `  ! ${problem}\n`);
      process.stdout.write(`The node of this machine, in ${stateDir}\n${nodeStateText(daemons)}${problems.join('')}`);
      if (state === undefined) return daemons.every(isDaemonWell) ? 0 : 1;
    }
    if (!isUp(state)) {
      process.stdout.write(
        state === undefined
          ? 'No demo runs here; ./toots.sh demo starts one. No node is set up here; ./toots.sh does that.\n'
          : 'The demo’s supervisor is gone; ./toots.sh down clears away the rest.\n',
      );
      return 1;
    }
    const status = await readStatus(state, runDir);
    process.stdout.write(statusText(status));
    return isWell(status) ? 0 : 1;
  },
);

/** How one program is. */
interface ProgramStatus {
  readonly name: string;
  readonly pid: number | undefined;
  /** Why it is not ready; undefined when it is. */
  readonly notReady: string | undefined;
  readonly problems: readonly string[];
}

export interface DemoStatus {
  readonly runDir: string;
  readonly since: string;
  readonly ready: boolean;
  readonly programs: readonly ProgramStatus[];
  readonly containers: readonly ExampleContainer[];
}

async function readStatus(state: DemoState, runDir: string): Promise<DemoStatus> {
  const { programs, ports } = state;
  const pidOf = (name: string) => {
    const identity = programs[name];
    return identity !== undefined && isRunning(identity) ? identity.pid : undefined;
  };
  const api = async (name: 'registrator' | 'templater'): Promise<ProgramStatus> => ({
    name,
    pid: pidOf(name),
    notReady: await whyNot(ports[name] ?? 0, '/health/ready'),
    problems: await problemsOf(ports[name] ?? 0),
  });
  const consul = { name: 'consul', pid: pidOf('consul'), notReady: await whyNot(ports['consul'] ?? 0, '/v1/status/leader'), problems: [] };
  const haproxy = { name: 'haproxy', pid: processesOf('haproxy', demoFiles(runDir).edge)[0]?.pid, problems: [] };
  return {
    runDir,
    since: state.since,
    ready: state.ready,
    programs: [
      consul,
      await api('registrator'),
      await api('templater'),
      { ...haproxy, notReady: haproxy.pid === undefined ? 'it does not run' : undefined },
    ],
    containers: (await engineVersion()) === undefined ? [] : await listExamples(runDir),
  };
}

const never = new AbortController().signal;

async function whyNot(port: number, path: string): Promise<string | undefined> {
  return await askHttp({ port, path }, never).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

const problemList = v.object({ problems: v.array(v.object({ subject: v.string(), option: v.optional(v.string()), reason: v.string() })) });

async function problemsOf(port: number): Promise<readonly string[]> {
  const text = await askHttp({ port, path: '/status' }, never).catch(() => '{"problems":[]}');
  return v
    .parse(problemList, JSON.parse(text))
    .problems.map(({ subject, option, reason }) => `${subject}${option === undefined ? '' : ` ${option}`}: ${reason}`);
}

/** Problems are of the containers' tags, not of the demo: they are shown, and all may be well. */
function isWell({ ready, programs, containers }: DemoStatus): boolean {
  return ready && programs.every(({ notReady }) => notReady === undefined) && containers.every(({ status }) => status.startsWith('Up'));
}

/** Pure. */
export function statusText({ runDir, since, ready, programs, containers }: DemoStatus): string {
  const programLines = programs.map(
    ({ name, pid, notReady }) =>
      `  ${name.padEnd(24)} ${pid === undefined ? 'not running' : `pid ${pid}`}${notReady === undefined ? '' : `, not ready: ${notReady}`}`,
  );
  const containerLines = containers.map(({ name, status }) => `  ${name.padEnd(24)} ${status}`);
  const problems = programs.flatMap(({ problems: own }) => own.map((problem) => `  ! ${problem}`));
  const lines = [
    `The demo ${ready ? 'is up' : 'is starting'}, since ${since}; logs in ${runDir}/log`,
    ...programLines,
    ...(containers.length === 0 ? ['  no containers'] : containerLines),
    ...problems,
  ];
  return `${lines.join('\n')}\n`;
}
