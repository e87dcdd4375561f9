import { createRequire } from 'node:module';

/** A package that few runs need, loaded by the first use: it costs a start milliseconds and megabytes. */
const load = createRequire(import.meta.url);

export const yaml = (): typeof import('yaml') => load('yaml') as typeof import('yaml');
export const re2 = (): typeof import('re2js') => load('re2js') as typeof import('re2js');
