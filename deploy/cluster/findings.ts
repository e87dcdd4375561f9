import type { secretsProblem } from './secrets.ts';

/** What was seen on a machine that is to be a node. */
export interface MachineFacts {
  /** Undefined when none answers. */
  readonly engine: string | undefined;
  /** Whether it answers, and not to this user. */
  readonly engineForbidden: boolean;
  readonly compose: string | undefined;
  /** Ports that the node's daemons want and others have; who has them, as far as the kernel tells. */
  readonly taken: readonly { readonly port: number; readonly daemon: string; readonly by: string | undefined }[];
  readonly masters: readonly string[];
  /** What of Toots.conf means something else here than it seems to. */
  readonly switches: readonly Finding[];
  /** How far a master's clock is from ours, milliseconds; undefined when it does not answer at all. */
  readonly skewMs: Readonly<Record<string, number | 'not told' | undefined>>;
  /** Where the engine keeps its data, bytes. */
  readonly freeBytes: number;
  readonly missingImages: readonly string[];
  readonly secrets:
    | 'missing'
    | 'not wanted'
    | { readonly file: string; readonly readableByOthers: boolean; readonly wrong: ReturnType<typeof secretsProblem> };
  /** Of the certificates in the secrets. */
  readonly certificates: readonly Finding[];
  /** Undefined where none is wanted. */
  readonly nfs: { readonly share: string; readonly reached: boolean; readonly mounted: boolean } | undefined;
  /** The VIP, when it is in no network of its interface: nobody beyond would reach it. */
  readonly vipOutside: { readonly vip: string; readonly nic: string } | undefined;
  /** Whether the kernel refuses what no rule allows. */
  readonly firewallRefuses: boolean;
  readonly selinuxEnforces: boolean;
}

/** Something that stands in the way, or may. */
export interface Finding {
  /** `bad` keeps the node from working. */
  readonly level: 'bad' | 'note';
  readonly what: string;
  readonly remedy: string;
}

const OLDEST_ENGINE = 20;
const OLDEST_COMPOSE = 2;
const MOST_SKEW_MS = 1_000;
const LEAST_FREE_BYTES = 5e9;

/** What of a machine is not as a node needs it, each with what to do. Nothing of it is done by us. Pure. */
export function findings(facts: MachineFacts): readonly Finding[] {
  const { engine, compose, taken, masters, freeBytes, missingImages, secrets, firewallRefuses, selinuxEnforces } = facts;
  return [
    ...(facts.engineForbidden
      ? [bad('this user may not speak to the Docker engine, so less is known', 'run this as root: sudo ./toots.sh doctor')]
      : tooOld('Docker', engine, OLDEST_ENGINE, 'apt-get install docker.io; ./toots.sh up does it')),
    ...tooOld('Compose', compose, OLDEST_COMPOSE, './toots.sh up installs it'),
    ...taken.map(({ port, daemon, by }) =>
      bad(`port ${port} of ${daemon} is taken${by === undefined ? '' : ` by ${by}`}`, 'end that program, or give it another port'),
    ),
    ...(masters.length % 2 === 0
      ? [note(`${masters.length} masters: as many may fail as with ${masters.length - 1}`, 'name an odd number of MASTERS')]
      : []),
    ...facts.switches,
    ...skewed(facts),
    ...(freeBytes < LEAST_FREE_BYTES
      ? [
          bad(
            `${(freeBytes / 1e9).toFixed(1)} GB are free where Docker keeps its data`,
            `free at least ${LEAST_FREE_BYTES / 1e9} GB: docker system prune`,
          ),
        ]
      : []),
    ...missingImages.map((image) => note(`the image ${image} is not here`, './toots.sh up pulls or builds it')),
    ...secretFindings(secrets),
    ...facts.certificates,
    ...nfsFindings(facts),
    ...(facts.vipOutside === undefined
      ? []
      : [
          note(
            `VIP ${facts.vipOutside.vip} is in no network of ${facts.vipOutside.nic}`,
            'take a free address of that network, or set NIC, unless a router sends it here',
          ),
        ]),
    ...(firewallRefuses
      ? [
          note(
            'the firewall refuses what no rule allows',
            'let the other nodes in: nft add rule inet filter input ip saddr NETWORK accept; ports: docs/cluster.md',
          ),
        ]
      : []),
    ...(selinuxEnforces
      ? [
          note(
            'SELinux is enforcing',
            'let containers read the state folder: semanage fcontext -a -t container_file_t "/var/lib/toots(/.*)?"; restorecon -R /var/lib/toots',
          ),
        ]
      : []),
  ];
}

function bad(what: string, remedy: string): Finding {
  return { level: 'bad', what, remedy };
}

function note(what: string, remedy: string): Finding {
  return { level: 'note', what, remedy };
}

function tooOld(name: string, version: string | undefined, oldest: number, remedy: string): readonly Finding[] {
  if (version === undefined) return [bad(`${name} is not there, or does not answer`, remedy)];
  return Number.parseInt(version.replace(/^v/, ''), 10) < oldest ? [bad(`${name} ${version} is older than ${oldest}`, remedy)] : [];
}

function skewed({ skewMs }: MachineFacts): readonly Finding[] {
  return Object.entries(skewMs).flatMap(([master, skew]) => {
    if (skew === undefined) return [note(`master ${master} does not answer on 8500`, 'start it, or open the ports of docs/cluster.md')];
    if (skew === 'not told')
      return [
        note(
          `master ${master} does not tell its clock: on an edge node Consul's API is for that node alone`,
          'run doctor there, and keep clocks by NTP',
        ),
      ];
    if (Math.abs(skew) <= MOST_SKEW_MS) return [];
    return [
      bad(
        `the clock of master ${master} is ${(skew / 1_000).toFixed(1)} s away from this one`,
        'keep clocks by NTP: apt-get install chrony',
      ),
    ];
  });
}

function secretFindings(secrets: MachineFacts['secrets']): readonly Finding[] {
  if (secrets === 'not wanted') return [];
  if (secrets === 'missing')
    return [bad('there are no secrets', 'on one master ./toots.sh secrets, then copy here what it says; or SECURE=false in Toots.conf')];
  const { file, readableByOthers, wrong } = secrets;
  return [
    ...(readableByOthers ? [bad(`${file} can be read by others`, `chmod 600 ${file}`)] : []),
    ...(wrong === undefined ? [] : [bad(`${file}: ${wrong.what}`, wrong.remedy)]),
  ];
}

function nfsFindings({ nfs }: MachineFacts): readonly Finding[] {
  if (nfs === undefined) return [];
  return [
    ...(nfs.reached ? [] : [bad(`the NFS server of ${nfs.share} does not answer on 2049`, 'start it, or correct NFS in Toots.conf')]),
    ...(nfs.mounted ? [] : [note('nothing is mounted on /var/store', './toots.sh up mounts it, with a line in /etc/fstab')]),
  ];
}

/** For people. Pure. */
export function findingsText(all: readonly Finding[]): string {
  if (all.length === 0) return 'Nothing stands in the way.\n';
  return all.map(({ level, what, remedy }) => `  ${level === 'bad' ? '✗' : '!'} ${what}\n      → ${remedy}\n`).join('');
}
