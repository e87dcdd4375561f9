import { createRequire } from 'node:module';

/** Packages that few runs need, loaded by the first use: each costs a start milliseconds and megabytes. */
const load = createRequire(import.meta.url);

export const yaml = (): typeof import('yaml') => load('yaml') as typeof import('yaml');
export const toml = (): typeof import('smol-toml') => load('smol-toml') as typeof import('smol-toml');
