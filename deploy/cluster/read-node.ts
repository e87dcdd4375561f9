import { stat } from 'node:fs/promises';
import { OperationError } from '../../daemon/operation-error.ts';
import { VERSION } from '../../daemon/version.ts';
import { hostNodeName, type NicAddress, ownAddresses, ownBroadcasts } from '../host/own-addresses.ts';
import { type Answers, answersOf } from './answers.ts';
import { certificateFindings } from './certificates.ts';
import type { ClusterConf } from './conf.ts';
import { findSecrets } from './make-secrets.ts';
import type { NodeContext } from './node-context.ts';
import { givenEntries, type NodeSettings } from './node-options.ts';
import { ownNodeAddress } from './own-address.ts';
import { confFiles, readClusterConf } from './read-conf.ts';
import { roleProblem } from './roles.ts';
import { secretsProblem } from './secrets.ts';

/** A configuration that is right, and which node of it this is. */
export interface ThisNode {
  readonly conf: ClusterConf;
  /** The same without this node's answers: what Toots.conf, restricted/common and overwrite say. */
  readonly told: ClusterConf;
  readonly own: NicAddress;
  readonly env: Readonly<Record<string, string>>;
  /** What was answered before, or is given; undefined when the role is not known. */
  readonly answers: Answers | undefined;
}

export type ReadNode =
  | { readonly kind: 'node'; readonly node: ThisNode }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

/** Reads who this node is; every problem is told at once. @throws OperationError when there is no Toots.conf. */
export async function readNode(settings: NodeSettings): Promise<ReadNode> {
  const given = givenEntries(settings);
  const read = await readClusterConf(settings.conf, given.entries);
  if (read.kind === 'wrong') return { kind: 'wrong', problems: [...given.problems, ...read.problems] };
  const { conf, told, env } = read;
  const found = ownNodeAddress(conf, ownAddresses());
  if (found.kind === 'wrong' || given.problems.length > 0)
    return { kind: 'wrong', problems: [...given.problems, ...(found.kind === 'wrong' ? [found.why] : [])] };
  const answers = answersOf(conf);
  const problems = answers === undefined ? [] : answerProblems(answers, conf, found.own, ownBroadcasts());
  if (problems.length > 0) return { kind: 'wrong', problems };
  return { kind: 'node', node: { conf, told, env, own: found.own, answers } };
}

/** What is wrong with answers on the node with this address, in networks with these broadcast addresses. Pure. */
export function answerProblems(
  { roles, slaveMode, nfs, vip }: Answers,
  { MASTERS }: ClusterConf,
  { address }: NicAddress,
  broadcasts: readonly string[],
): readonly string[] {
  const role = roleProblem(roles, address, MASTERS);
  const toAll = [...MASTERS.map((master) => ['MASTERS', master] as const), ...(vip === undefined ? [] : [['VIP', vip] as const])];
  return [
    ...toAll.flatMap(([name, value]) =>
      broadcasts.includes(value)
        ? [`${name}: ${value} is the broadcast address of a network of this machine; it must be one machine’s`]
        : [],
    ),
    ...(role === undefined ? [] : [role]),
    ...(roles.has('slave') && slaveMode === 'persistent' && nfs === undefined ? ['a persistent slave needs NFS: -nfs HOST:/FOLDER'] : []),
    ...(vip === address && !MASTERS.includes(vip) ? [`VIP ${vip} is this node’s own address; it must be nobody’s`] : []),
    ...(vip !== undefined && MASTERS.includes(vip) ? [`VIP ${vip} is the address of a master; it must be nobody’s`] : []),
  ];
}

/** A node's configuration. That a master answered not to register its pages does not end the registrator of the slave that it became. Pure. */
export function confOf({ conf, told }: Pick<ThisNode, 'conf' | 'told'>, { roles }: Answers): ClusterConf {
  return roles.has('slave') ? { ...conf, START_REGISTRATOR: told.START_REGISTRATOR } : conf;
}

/** Everything a plan is made of; secrets that cannot be read are none. */
export async function readContext(node: ThisNode, answers: Answers, settings: NodeSettings): Promise<NodeContext> {
  const { own, env } = node;
  const conf = confOf(node, answers);
  return {
    conf,
    env,
    answers,
    address: own.address,
    nic: own.nic,
    nodeName: conf.NODE_NAME ?? hostNodeName(),
    stateDir: settings.stateDir,
    dockerGroup: (await stat('/var/run/docker.sock').catch(() => undefined))?.gid ?? 0,
    version: VERSION,
    secrets: conf.SECURE === false ? undefined : await readableSecrets(settings.conf),
  };
}

async function readableSecrets(conf: string): Promise<NodeContext['secrets']> {
  return await findSecrets(confFiles(conf)).then(
    (found) => found?.secrets,
    (error: unknown) => {
      if (error instanceof OperationError) return undefined;
      throw error;
    },
  );
}

/** The same, for what is to start. @throws OperationError when the secrets that the configuration wants are missing, another node's, or of other names, or have ended. */
export async function readSecureContext(node: ThisNode, answers: Answers, settings: NodeSettings): Promise<NodeContext> {
  const context = await readContext(node, answers, settings);
  if (node.conf.SECURE === false) return context;
  const files = confFiles(settings.conf);
  const isMaster = answers.roles.has('master');
  const found = await findSecrets(files);
  const wrong =
    found === undefined
      ? undefined
      : (secretsProblem(found.secrets, isMaster) ??
        certificateFindings(found.secrets, node.conf, Date.now()).find(({ level }) => level === 'bad'));
  if (found !== undefined && wrong === undefined) return context;
  throw new OperationError('read the secrets', {
    subject: found?.file ?? (isMaster ? files.secrets : files.nodeSecrets),
    hint:
      wrong === undefined
        ? 'there are none. Make them on one master with ./toots.sh secrets, and copy what it says here; SECURE=false in Toots.conf does without'
        : `${wrong.what}: ${wrong.remedy}`,
  });
}
