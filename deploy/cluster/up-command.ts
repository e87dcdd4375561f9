import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { live } from '../../daemon/live.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { duration, flag } from '../../daemon/values.ts';
import { command, wrongUsage } from '../command.ts';
import { ensureEngine } from '../host/docker-engine.ts';
import { installNodeNeeds } from '../host/needs.ts';
import { ownBroadcasts } from '../host/own-addresses.ts';
import { requireRoot } from '../host/require-root.ts';
import { createProgress, STDOUT } from '../progress.ts';
import { type Answers, hostFileText } from './answers.ts';
import { askQuestions, isConfirmed, type Person, personAtTerminal } from './ask-person.ts';
import { composeVersion, installCompose } from './compose.ts';
import { composeText } from './compose-text.ts';
import type { ClusterConf } from './conf.ts';
import type { Finding } from './findings.ts';
import { nodeOptions, yesOption } from './node-options.ts';
import { changeText, planChange } from './plan-change.ts';
import { planNode } from './plan-node.ts';
import { confFiles } from './read-conf.ts';
import { answerProblems, readNode, readSecureContext, type ThisNode } from './read-node.ts';
import { installRegistryCa, type RegistryCa, readRegistryCa } from './registry-ca.ts';
import { shownRoles } from './roles.ts';
import { startNode } from './start-node.ts';
import { isStoreMounted, mountStore, STORE, storeOf } from './store.ts';
import { switchFindings } from './switch-findings.ts';
import { writtenComposeText } from './write-node.ts';

const HELP = 'toots up -help';

const options = {
  ...nodeOptions,
  yes: yesOption,
  ask: {
    flag: 'ask',
    schema: flag(),
    describe: 'Asks the questions, also those that were answered before; so does toots without a command',
  },
  dryRun: { flag: 'dry-run', schema: flag(), describe: 'Shows what would be done, and ends' },
  waitMs: {
    flag: 'wait',
    value: 'DURATION',
    schema: duration('3m'),
    describe: 'How long the daemons may take until they are well',
  },
};

/** Makes this machine the node that the answers say. */
export const upCommand = command(
  {
    name: 'up',
    usage: '[--roles ROLE,…] [--yes] [options]',
    line: 'Makes this machine a node of the cluster: asks what is not known, shows what it will do, does it',
    about:
      'Makes this machine a node of the cluster that Toots.conf describes: master, slave, edge, or several. Without a command, toots asks the\n' +
      'questions first. Run again, it changes only what is different.',
    options,
  },
  async (settings) => {
    const read = await readNode(settings);
    if (read.kind === 'wrong') return wrongUsage(read.problems, HELP);
    using person = settings.yes ? undefined : personAtTerminal();
    const answers = await answersFor(read.node, settings.ask, person);
    if (typeof answers === 'number') return answers;
    const problems = answerProblems(answers, read.node.conf, read.node.own, ownBroadcasts());
    if (problems.length > 0) return wrongUsage(problems, HELP);
    const context = await readSecureContext(read.node, answers, settings);
    const plan = planNode(context);
    const changes = planChange(await writtenComposeText(settings.stateDir), composeText(plan));
    process.stdout.write(`${context.nodeName}, ${context.address}: ${shownRoles(answers.roles)}\n${changeText(changes)}`);
    const store = (await isStoreMounted()) ? undefined : storeOf(answers);
    const ca = await readRegistryCa(read.node.conf, settings.conf);
    process.stdout.write(`${hostText(store, ca)}${switchText(switchFindings(context))}`);
    if (settings.dryRun) return 0;
    if (!settings.yes && (await confirmed(person)) === false) return 1;
    requireRoot('set up this node', 'it installs packages and speaks to the Docker engine');
    return await live(async (signal) => {
      const progress = createProgress(STDOUT);
      await installNodeNeeds(progress, signal);
      await progress.step(
        'Docker engine',
        () => ensureEngine('/var/log/toots', signal),
        ({ version }) => version,
      );
      if ((await composeVersion()) === undefined)
        await progress.step(
          'Installing Compose',
          () => installCompose(signal),
          (from) => from,
        );
      await saveAnswers(settings.conf, answers, read.node.told);
      if (store !== undefined) await progress.step(`Mounting ${store}`, () => mountStore(store, signal));
      await installRegistryCa(ca, settings.stateDir);
      // Anew: an engine that has just been installed has given its socket a group.
      const installed = await readSecureContext(read.node, answers, settings);
      await startNode(installed, planNode(installed), settings.waitMs, progress, signal);
      return 0;
    });
  },
);

/** The answers: those that are known, else those of a person; a number is the exit code where nobody can be asked. */
async function answersFor(node: ThisNode, ask: boolean, person: Person | undefined): Promise<Answers | number> {
  if (person !== undefined && (ask || node.answers === undefined)) {
    const answers = await askQuestions(node, person);
    if (answers !== undefined) return answers;
    process.stderr.write('toots: Your choice is incorrect! Nothing was changed; ./toots.sh asks again.\n');
    return 1;
  }
  if (node.answers !== undefined) return node.answers;
  const what = node.conf.MASTERS.includes(node.own.address) ? 'master[,slave][,edge]' : 'slave, edge or slave,edge';
  return wrongUsage(
    [
      `what this node is must be said: -roles ${what} (or TOOTS_ROLES), with -yes; there is no terminal to ask at`,
      `further answers: -register-masters, -vip, -slave-mode, -nfs, -internal-dns, -dns-answer`,
    ],
    HELP,
  );
}

/** Switches that do otherwise here than they seem to, for people. Pure. */
function switchText(found: readonly Finding[]): string {
  return found.map(({ what }) => `  ! ${what}\n`).join('');
}

/** What of the host itself is changed besides packages, for people. Pure. */
function hostText(store: string | undefined, ca: RegistryCa | undefined): string {
  return [
    ...(store === undefined ? [] : [`  mounts ${store} on ${STORE}, with a line in /etc/fstab\n`]),
    ...(ca === undefined ? [] : [`  writes ${ca.to}, of ${ca.from}\n`]),
  ].join('');
}

async function confirmed(person: Person | undefined): Promise<boolean> {
  if (person === undefined) throw new OperationError('ask whether to go on', { hint: 'there is no terminal; say -yes' });
  return await isConfirmed('\nDo this? [Y/n] ', person);
}

async function saveAnswers(conf: string, answers: Answers, told: ClusterConf): Promise<void> {
  const { host } = confFiles(conf);
  try {
    await mkdir(dirname(host), { recursive: true });
    await writeFile(host, hostFileText(answers, told));
  } catch (cause) {
    throw new OperationError('keep the answers', { subject: host, cause });
  }
}
