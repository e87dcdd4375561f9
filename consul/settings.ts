import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { OperationError } from '../daemon/operation-error.ts';
import type { Option, SettingsOf } from '../daemon/settings.ts';
import { flag, readAs, text } from '../daemon/values.ts';
import { parseConsulAddress } from './address.ts';
import type { ConsulOptions } from './transport.ts';

/** How both programs are told where Consul is and how to be let in: consul-template's flags, and Consul's own environment. */
export const consulSettings = {
  consul: {
    flag: 'consul',
    aliases: ['consul-addr'],
    env: ['CONSUL_HTTP_ADDR'],
    value: 'URL',
    schema: v.pipe(text('http://127.0.0.1:8500'), readAs(parseConsulAddress, 'must be HOST:PORT, http(s)://HOST:PORT or unix:///PATH')),
    describe: 'Consul agent: HOST:PORT, http://…, https://… or unix:///PATH',
  },
  token: { flag: 'consul-token', env: ['CONSUL_HTTP_TOKEN'], value: 'TOKEN', secret: true, schema: text(), describe: 'ACL token' },
  tokenFile: {
    flag: 'consul-token-file',
    env: ['CONSUL_HTTP_TOKEN_FILE'],
    value: 'FILE',
    schema: text(),
    describe: 'File with the ACL token; read at each request, so that a new one is taken at once',
  },
  auth: {
    flag: 'consul-auth',
    env: ['CONSUL_HTTP_AUTH'],
    value: 'USER:PASSWORD',
    secret: true,
    schema: text(),
    describe: 'HTTP basic authentication, for an agent behind a proxy',
  },
  ssl: { flag: 'consul-ssl', env: ['CONSUL_HTTP_SSL'], schema: flag(), describe: 'Speaks HTTPS to an agent given as HOST:PORT' },
  verify: {
    flag: 'consul-ssl-verify',
    env: ['CONSUL_HTTP_SSL_VERIFY'],
    schema: v.pipe(
      v.optional(v.union([v.boolean(), v.string()]), true),
      v.transform((given) => !/^(0|f|false|no|off)$/i.test(String(given))),
    ),
    describe: 'Verifies the agent’s certificate',
  },
  caFile: {
    flag: 'consul-ssl-ca-cert',
    env: ['CONSUL_CACERT'],
    value: 'FILE',
    schema: text(),
    describe: 'CA that signed the agent’s certificate',
  },
  certFile: { flag: 'consul-ssl-cert', env: ['CONSUL_CLIENT_CERT'], value: 'FILE', schema: text(), describe: 'Client certificate' },
  keyFile: { flag: 'consul-ssl-key', env: ['CONSUL_CLIENT_KEY'], value: 'FILE', schema: text(), describe: 'Key of the client certificate' },
  serverName: {
    flag: 'consul-ssl-server-name',
    env: ['CONSUL_TLS_SERVER_NAME'],
    value: 'NAME',
    schema: text(),
    describe: 'Name that the agent’s certificate is checked against',
  },
} satisfies Record<string, Option>;

type ConsulSettings = SettingsOf<typeof consulSettings>;

/**
 * What the settings mean for a transport; reads the certificate files.
 * @throws OperationError when a file that was named cannot be read.
 */
export function consulOptions(settings: ConsulSettings): ConsulOptions {
  const { consul, ssl, verify, caFile, certFile, keyFile, serverName, auth } = settings;
  const address = consul.kind === 'tcp' && ssl ? { ...consul, tls: true } : consul;
  return {
    address,
    token: tokenSource(settings.token, settings.tokenFile),
    ...(auth !== '' && { basicAuth: auth }),
    tls: {
      rejectUnauthorized: verify,
      ...(caFile !== '' && { ca: fileText(caFile) }),
      ...(certFile !== '' && { cert: fileText(certFile) }),
      ...(keyFile !== '' && { key: fileText(keyFile) }),
      ...(serverName !== '' && { servername: serverName }),
    },
  };
}

/** The file is read at each request: it is small, and a rotated token is seen at once. */
function tokenSource(token: string, file: string): () => string {
  if (file === '') return () => token;
  return () => fileText(file).trim();
}

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OperationError('read file', { subject: path, cause });
  }
}
