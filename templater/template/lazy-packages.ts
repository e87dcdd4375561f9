import { createRequire } from 'node:module';

/** Packages and modules of Node that few runs need, loaded by the first use: they cost a start milliseconds and megabytes. */
const load = createRequire(import.meta.url);

export const yaml = (): typeof import('yaml') => load('yaml') as typeof import('yaml');
export const re2 = (): typeof import('re2js') => load('re2js') as typeof import('re2js');
export const nodeCrypto = (): typeof import('node:crypto') => load('node:crypto') as typeof import('node:crypto');
export const nodeChildProcess = (): typeof import('node:child_process') =>
  load('node:child_process') as typeof import('node:child_process');
