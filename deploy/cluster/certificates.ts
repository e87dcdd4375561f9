import { X509Certificate } from 'node:crypto';
import type { ClusterConf } from './conf.ts';
import type { Finding } from './findings.ts';
import { consulDomain, datacenter } from './node-context.ts';
import type { Secrets } from './secrets.ts';

/** How long before its end a certificate is a finding. */
const SOON_MS = 30 * 24 * 3_600_000;

const MAKE_ANEW = './toots.sh secrets -replace on one master, its files to every other node, then ./toots.sh up on each';

/** What of the secrets' certificates does not fit Toots.conf, has ended or ends soon, at `nowMs` since 1970. Pure. */
export function certificateFindings({ ca, client, master }: Secrets, conf: ClusterConf, nowMs: number): readonly Finding[] {
  const suffix = `${datacenter(conf)}.${consulDomain(conf)}`;
  return [
    ...certificateProblem('the CA’s certificate', ca, undefined, nowMs),
    ...certificateProblem('the clients’ certificate', client.cert, `client.${suffix}`, nowMs),
    ...(master === undefined ? [] : certificateProblem('the servers’ certificate', master.server.cert, `server.${suffix}`, nowMs)),
  ];
}

function certificateProblem(which: string, pem: string, name: string | undefined, nowMs: number): readonly Finding[] {
  const certificate = parseCertificate(pem);
  if (certificate === undefined) return [{ level: 'bad', what: `${which} cannot be read`, remedy: MAKE_ANEW }];
  const { subjectAltName, validTo } = certificate;
  const endsMs = Date.parse(validTo);
  const day = new Date(endsMs).toISOString().slice(0, 10);
  const isOther = name !== undefined && certificate.checkHost(name) === undefined;
  return [
    ...(isOther
      ? [
          {
            level: 'bad' as const,
            what: `${which} is for ${subjectAltName ?? 'no name'}, and Toots.conf makes this ${name}`,
            remedy: `put IN_DOMAIN and CONSUL_DC back, or ${MAKE_ANEW}`,
          },
        ]
      : []),
    ...(endsMs <= nowMs ? [{ level: 'bad' as const, what: `${which} ended on ${day}`, remedy: MAKE_ANEW }] : []),
    ...(endsMs > nowMs && endsMs - nowMs < SOON_MS ? [{ level: 'note' as const, what: `${which} ends on ${day}`, remedy: MAKE_ANEW }] : []),
  ];
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
