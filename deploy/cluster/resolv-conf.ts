import { lstat, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';

const RESOLV_CONF = '/etc/resolv.conf';
/** Where systemd-resolved tells the servers that it asks itself; /etc/resolv.conf names only its own 127.0.0.53. */
const RESOLVED_SERVERS = '/run/systemd/resolve/resolv.conf';

/** What was there before us. */
const original = v.union([
  v.object({ kind: v.literal('link'), target: v.string() }),
  v.object({ kind: v.literal('file'), text: v.string() }),
]);
type Original = v.InferOutput<typeof original>;

const originalFile = (stateDir: string) => join(stateDir, 'resolv.conf.original.json');

/** First line of what we write: by it our own file is known. */
const MARK = '# Written by toots; ./toots.sh down puts the one before it back.';

/** The name servers of a resolv.conf, without those of a list. Pure. */
export function nameServers(text: string, without: readonly string[]): readonly string[] {
  const found = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, server = '']) => server);
  return found.filter((server) => !without.includes(server));
}

/**
 * The text of /etc/resolv.conf while internal DNS is on: ours first, the servers from before behind it, so that a host whose dnsmasq is down
 * still resolves. Search domains and options stay. Pure.
 */
export function ownResolvConf(before: string, address: string, upstream: readonly string[]): string {
  const others = before.split('\n').filter((line) => /^\s*(search|domain|options)\s/.test(line));
  return [
    MARK,
    `nameserver ${address}`,
    ...upstream.slice(0, 2).map((server) => `nameserver ${server}`),
    ...others,
    'options timeout:1',
    '',
  ].join('\n');
}

/** Writes the servers that dnsmasq asks for everything else, before it is started. They are those that this host asked before. */
export async function writeUpstream(stateDir: string, address: string): Promise<void> {
  const file = join(stateDir, 'dns', 'upstream.conf');
  await mkdir(dirname(file), { recursive: true });
  const servers = await upstreamServers(stateDir, address);
  await writeFile(file, servers.map((server) => `nameserver ${server}\n`).join(''));
}

/** Has this host ask its own dnsmasq. What was there is kept, for {@link restoreResolvConf}. @throws OperationError when it cannot be written. */
export async function takeResolvConf(stateDir: string, address: string): Promise<void> {
  try {
    const upstream = await upstreamServers(stateDir, address);
    const now = await readFile(RESOLV_CONF, 'utf8').catch(() => '');
    if (!now.startsWith(MARK)) await writeFile(originalFile(stateDir), JSON.stringify(await readOriginal()), { mode: 0o644 });
    const before = (await keptOriginal(stateDir)) ?? { kind: 'file', text: '' };
    const text = ownResolvConf(before.kind === 'file' ? before.text : now, address, upstream);
    if (text !== now) await replace(text);
  } catch (cause) {
    throw new OperationError('change the name servers of this host', { subject: RESOLV_CONF, cause });
  }
}

/** Puts back what was there before; answers whether there was anything to do. What somebody else has written since stays. */
export async function restoreResolvConf(stateDir: string): Promise<boolean> {
  const before = await keptOriginal(stateDir);
  if (before === undefined) return false;
  try {
    const now = await readFile(RESOLV_CONF, 'utf8').catch(() => '');
    const isOurs = now.startsWith(MARK);
    if (isOurs && before.kind === 'file') await replace(before.text);
    if (isOurs && before.kind === 'link') {
      await rm(`${RESOLV_CONF}.toots`, { force: true });
      await symlink(before.target, `${RESOLV_CONF}.toots`);
      await rename(`${RESOLV_CONF}.toots`, RESOLV_CONF);
    }
    await rm(originalFile(stateDir), { force: true });
    return isOurs;
  } catch (cause) {
    throw new OperationError('put back the name servers of this host', { subject: RESOLV_CONF, cause });
  }
}

async function upstreamServers(stateDir: string, address: string): Promise<readonly string[]> {
  const resolved = await readFile(RESOLVED_SERVERS, 'utf8').catch(() => '');
  const kept = await keptOriginal(stateDir);
  const before = kept?.kind === 'file' ? kept.text : await readFile(RESOLV_CONF, 'utf8').catch(() => '');
  const own = [address, '127.0.0.53'];
  const servers = nameServers(resolved, own);
  return servers.length > 0 ? servers : nameServers(before, own);
}

async function readOriginal(): Promise<Original> {
  const isLink = await lstat(RESOLV_CONF).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (isLink) return { kind: 'link', target: await readlink(RESOLV_CONF) };
  return { kind: 'file', text: await readFile(RESOLV_CONF, 'utf8').catch(() => '') };
}

async function keptOriginal(stateDir: string): Promise<Original | undefined> {
  try {
    return v.parse(original, JSON.parse(await readFile(originalFile(stateDir), 'utf8')));
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined;
    throw new OperationError('read the name servers from before', { subject: originalFile(stateDir), cause });
  }
}

/** As one step, so that there is a whole file at every moment; where it is mounted by itself (in a container) it can only be written over. */
async function replace(text: string): Promise<void> {
  await writeFile(`${RESOLV_CONF}.toots`, text, { mode: 0o644 });
  try {
    await rename(`${RESOLV_CONF}.toots`, RESOLV_CONF);
  } catch (error) {
    if (!isSystemError(error, 'EBUSY')) throw error;
    await writeFile(RESOLV_CONF, text);
    await rm(`${RESOLV_CONF}.toots`, { force: true });
  }
}
