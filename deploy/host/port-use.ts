import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import type { PortUse } from './port-choice.ts';

/** Whether a port can be bound, TCP and UDP, on an address of this machine or on every one; who has it when not. */
export async function portUse(port: number, address = '0.0.0.0'): Promise<PortUse> {
  if (await isFreePort(port, address)) return { kind: 'free' };
  return { kind: 'taken', by: holderOf(port) };
}

/** Whether nobody has a port, neither TCP nor UDP, on this address, or any. */
export async function isFreePort(port: number, address = '0.0.0.0'): Promise<boolean> {
  return (await canListen(port, address)) && (await canReceive(port, address));
}

async function canListen(port: number, address: string): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, address), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function canReceive(port: number, address: string): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, address);
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise<void>((resolve) => socket.close(resolve));
  }
}

/** `NAME (pid N)` of a program that listens on the port; undefined when the kernel does not tell. */
function holderOf(port: number): string | undefined {
  const inodes = new Set(['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) => listeningInodes(readText(`/proc/net/${table}`), port)));
  if (inodes.size === 0) return undefined;
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && hasSocket(name, inodes));
  return pid === undefined ? undefined : `${readText(`/proc/${pid}/comm`).trim()} (pid ${pid})`;
}

const TCP_LISTEN = '0A';
const UDP_UNCONNECTED = '07';

/** The inodes of the sockets bound to a port, of the text of /proc/net/tcp or udp. Pure. */
export function listeningInodes(table: string, port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
    return local.endsWith(`:${hex}`) && (state === TCP_LISTEN || state === UDP_UNCONNECTED) ? [inode] : [];
  });
}

function hasSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(/^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1] ?? ''));
  } catch {
    return false; // it has just ended, or is none of ours
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed in the meantime
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // a kernel without IPv6 has no tcp6
  }
}
