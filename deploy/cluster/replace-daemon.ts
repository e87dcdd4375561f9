import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { OperationError } from '../../daemon/operation-error.ts';
import type { Progress } from '../progress.ts';
import { compose } from './compose.ts';
import { composeText, documentText } from './compose-text.ts';
import type { NodePlan } from './daemon.ts';
import { isWell, readNodeState } from './node-state.ts';
import { waitUntilWell } from './start-node.ts';
import { composeFile, writeComposeFile, writeNodeFile } from './write-node.ts';

/** One daemon that is to become what a plan says. */
export interface Replacement {
  readonly name: string;
  readonly plan: NodePlan;
  readonly stateDir: string;
  /** ID of the image that it has. */
  readonly image: string;
  readonly waitMs: number;
}

/** How long a daemon that was well may take at least until it is again, milliseconds. */
const BACK_WITHIN_MS = 60_000;

interface ComposeDocument {
  readonly services: Readonly<Record<string, object>>;
  readonly volumes?: Readonly<Record<string, object | null>>;
}

/**
 * Makes one daemon what the plan says; the others stay, in the Compose file too. When the node is not well then, the daemon gets its image, its
 * settings and its files from before back. @throws OperationError that says so.
 */
export async function replaceDaemon(replacement: Replacement, progress: Progress, signal: AbortSignal): Promise<void> {
  const { name, plan, stateDir, image, waitMs } = replacement;
  const before: ComposeDocument = parse(await readFile(composeFile(stateDir), 'utf8'));
  const after: ComposeDocument = parse(composeText(plan));
  const files = plan.files.filter(({ readBy }) => readBy.some((reader) => reader === name));
  const filesBefore = await Promise.all(
    files.map(async (file) => ({ ...file, text: await readFile(join(stateDir, file.path), 'utf8').catch(() => file.text) })),
  );
  const wasWell = (await readNodeState(stateDir, signal)).filter(isWell).map((state) => state.name);
  const become = async (service: object | undefined, texts: typeof files, volumes: ComposeDocument['volumes'], withinMs: number) => {
    for (const file of texts) await writeNodeFile(stateDir, file);
    const document = { ...before, services: { ...before.services, [name]: service }, volumes: { ...before.volumes, ...volumes } };
    await writeComposeFile(stateDir, documentText(document));
    await compose(composeFile(stateDir), ['up', '--detach', '--no-deps', name], signal);
    await waitUntilWell(stateDir, performance.now() + withinMs, signal, [...wasWell, name]);
  };
  try {
    await progress.step(`Upgrading ${name}`, () => become(after.services[name], files, after.volumes, waitMs));
  } catch (cause) {
    if (!(cause instanceof OperationError)) throw cause;
    // By its ID: the name may mean another image by now.
    await progress.step(`Taking ${name} back`, () =>
      become({ ...before.services[name], image }, filesBefore, {}, Math.max(waitMs, BACK_WITHIN_MS)),
    );
    throw new OperationError(`upgrade ${name}`, {
      cause,
      hint: `it was not well and is what it was before again; nothing after it was upgraded (${cause.message})`,
    });
  }
}
