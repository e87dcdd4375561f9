import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

// Modules of Node for agents over TLS, loaded by their first use: an agent over plain HTTP, the usual one, does without them.

export const nodeHttps = (): typeof import('node:https') => load('node:https') as typeof import('node:https');
export const nodeHttp2 = (): typeof import('node:http2') => load('node:http2') as typeof import('node:http2');
export const nodeTls = (): typeof import('node:tls') => load('node:tls') as typeof import('node:tls');
