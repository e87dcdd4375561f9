import { once } from 'node:events';
import { readFile, stat, statfs } from 'node:fs/promises';
import { BlockList, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { execa } from 'execa';
import { OperationError } from '../../daemon/operation-error.ts';
import { docker, engineVersion, isEngineForbidden } from '../host/docker-engine.ts';
import { ownAddresses } from '../host/own-addresses.ts';
import { portUse } from '../host/port-use.ts';
import { certificateFindings } from './certificates.ts';
import { composeVersion } from './compose.ts';
import { CONSUL_PORTS } from './consul-daemon.ts';
import type { DaemonName } from './daemon.ts';
import type { MachineFacts } from './findings.ts';
import { listenFindings } from './listen-findings.ts';
import { findSecrets, type SecretsFiles } from './make-secrets.ts';
import type { NodeContext } from './node-context.ts';
import { isNode } from './node-state.ts';
import { planNode } from './plan-node.ts';
import { secretsProblem } from './secrets.ts';
import { isStoreMounted, storeOf } from './store.ts';
import { switchFindings } from './switch-findings.ts';

/** Ports of each daemon on this machine. */
export const DAEMON_PORTS: Partial<Readonly<Record<DaemonName, readonly number[]>>> = {
  consul: Object.values(CONSUL_PORTS),
  dnsmasq: [53],
  zookeeper: [2181, 2888, 3888],
  'mesos-master': [5050],
  marathon: [8080],
  chronos: [4400],
  'mesos-slave': [5051],
  registrator: [9181],
  templater: [9182],
  'vip-templater': [9183],
  haproxy: [80, 81],
};

const WITHIN_MS = 2_000;

/** Looks at this machine and at the masters; changes nothing. */
export async function readMachine(context: NodeContext, files: SecretsFiles): Promise<MachineFacts> {
  const { conf, answers, stateDir } = context;
  const engine = await engineVersion();
  const plan = planNode(context);
  const names = plan.daemons.map(({ name }) => name);
  const others = conf.MASTERS.filter((master) => master !== context.address);
  return {
    engine,
    engineForbidden: engine === undefined && (await isEngineForbidden()),
    compose: await composeVersion(),
    taken: isNode(stateDir) ? [] : await takenPorts(names, context.address), // ports of a node that runs are its own
    masters: conf.MASTERS,
    switches: [
      ...switchFindings(context),
      ...listenFindings(
        context,
        ownAddresses().map(({ address }) => address),
      ),
    ],
    skewMs: Object.fromEntries(await Promise.all(others.map(async (master) => [master, await clockSkewMs(master)] as const))),
    freeBytes: await freeBytes('/var/lib/docker'),
    missingImages: engine === undefined ? [] : await missingImages(plan.daemons.map(({ image }) => image)),
    secrets: conf.SECURE === false ? 'not wanted' : await secretsState(files, answers.roles.has('master')),
    certificates: context.secrets === undefined ? [] : certificateFindings(context.secrets, conf, Date.now()),
    nfs: await nfsState(storeOf(answers)),
    vipOutside: vipOutside(answers.roles.has('edge') ? answers.vip : undefined, context.nic),
    firewallRefuses: await firewallRefuses(),
    selinuxEnforces: (await readFile('/sys/fs/selinux/enforce', 'utf8').catch(() => '0')).trim() === '1',
  };
}

async function takenPorts(names: readonly DaemonName[], address: string): Promise<MachineFacts['taken']> {
  const wanted = names.flatMap((daemon) => (DAEMON_PORTS[daemon] ?? []).map((port) => ({ daemon, port })));
  const taken: MachineFacts['taken'][number][] = [];
  for (const { daemon, port } of wanted) {
    // dnsmasq has the node's address alone: systemd-resolved's 127.0.0.53 beside it is no harm.
    const use = await portUse(port, daemon === 'dnsmasq' ? address : '0.0.0.0');
    if (use.kind === 'taken') taken.push({ port, daemon, by: use.by });
  }
  return taken;
}

/**
 * By the Date that Consul's API answers with, to the second; half a second is put in for what is cut off. A master that is an edge node as well
 * keeps its API to itself.
 */
async function clockSkewMs(master: string): Promise<number | 'not told' | undefined> {
  try {
    const start = Date.now();
    const { headers } = await fetch(`http://${master}:${CONSUL_PORTS.http}/v1/status/leader`, { signal: AbortSignal.timeout(WITHIN_MS) });
    const theirs = Date.parse(headers.get('date') ?? '');
    return Number.isNaN(theirs) ? 'not told' : theirs + 500 - (start + Date.now()) / 2;
  } catch {
    return (await isReached(master, CONSUL_PORTS.server)) ? 'not told' : undefined;
  }
}

function vipOutside(vip: string | undefined, nic: string): MachineFacts['vipOutside'] {
  const networks = (networkInterfaces()[nic] ?? []).filter(({ family }) => family === 'IPv4');
  if (vip === undefined) return undefined;
  const reached = new BlockList();
  for (const { cidr } of networks) {
    const [address, prefix] = (cidr ?? '').split('/');
    if (address !== undefined && prefix !== undefined) reached.addSubnet(address, Number(prefix));
  }
  return reached.check(vip) ? undefined : { vip, nic };
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder).catch(() => statfs('/'));
  return bavail * bsize;
}

async function missingImages(images: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(
    [...new Set(images)].map(async (image) => ((await docker(['images', '-q', image])) === '' ? [image] : [])),
  );
  return there.flat();
}

/** What secrets are here, and what is wrong with them. */
export async function secretsState(files: SecretsFiles, isMaster: boolean): Promise<MachineFacts['secrets']> {
  const found = await findSecrets(files).catch(unreadable);
  if (found !== undefined && 'wrong' in found) return found;
  if (found === undefined) return 'missing';
  const { mode } = await stat(found.file);
  return { file: found.file, readableByOthers: (mode & 0o077) !== 0, wrong: secretsProblem(found.secrets, isMaster) };
}

/** Secrets that cannot be read are a finding among the others. */
async function unreadable(error: unknown): Promise<Exclude<MachineFacts['secrets'], string>> {
  if (!(error instanceof OperationError)) throw error;
  const { subject: file = '', hint = '' } = error;
  const mode = (await stat(file).catch(() => undefined))?.mode ?? 0;
  const [what = hint, remedy = ''] = hint.split('; ');
  return { file, readableByOthers: (mode & 0o077) !== 0, wrong: { what, remedy } };
}

async function nfsState(share: string | undefined): Promise<MachineFacts['nfs']> {
  if (share === undefined) return undefined;
  return { share, mounted: await isStoreMounted(), reached: await isReached(share.split(':')[0] ?? '', 2049) };
}

async function isReached(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(WITHIN_MS) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Whether the chain of what comes in ends with a refusal, by iptables or nftables. */
async function firewallRefuses(): Promise<boolean> {
  const said = await Promise.all([
    execa('iptables', ['-S', 'INPUT'], { stdin: 'ignore', reject: false }),
    execa('nft', ['list', 'chains'], { stdin: 'ignore', reject: false }),
  ]);
  const [tables = '', chains = ''] = said.map(({ stdout }) => String(stdout ?? ''));
  return /^-P INPUT DROP/m.test(tables) || /hook input [^;]*; policy drop/.test(chains);
}
