/** What a node is; Consul runs on all of them. */
export const ROLES = ['master', 'slave', 'edge'] as const;
export type Role = (typeof ROLES)[number];
export type Roles = ReadonlySet<Role>;

/** The combinations that a node may have, the first by default; whether it is a master is told by MASTERS alone. */
export const ROLE_CHOICES = {
  master: [['master'], ['master', 'slave'], ['master', 'slave', 'edge'], ['master', 'edge']],
  other: [['slave'], ['edge'], ['slave', 'edge']],
} as const satisfies Readonly<Record<string, readonly (readonly Role[])[]>>;

/** `slave,edge` in any order as roles, or what is wrong with it. Pure. */
export function parseRoles(
  text: string,
): { readonly kind: 'roles'; readonly roles: Roles } | { readonly kind: 'wrong'; readonly why: string } {
  const words = text
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== '');
  const unknown = words.find((part) => !ROLES.some((role) => role === part));
  if (unknown !== undefined || words.length === 0)
    return { kind: 'wrong', why: `must be one or more of ${ROLES.join(', ')}, parted by commas, got ${JSON.stringify(text)}` };
  return { kind: 'roles', roles: new Set(ROLES.filter((role) => words.includes(role))) };
}

/** Why a node with this address cannot have these roles; undefined when it can. Pure. */
export function roleProblem(roles: Roles, address: string, masters: readonly string[]): string | undefined {
  const isMaster = masters.includes(address);
  if (isMaster && !roles.has('master')) return `${address} is one of MASTERS, so its roles must include master, got ${shownRoles(roles)}`;
  if (!isMaster && roles.has('master'))
    return `${address} is none of MASTERS (${masters.join(', ')}), so it cannot be a master, got ${shownRoles(roles)}`;
  return undefined;
}

/** `master + slave`. Pure. */
export function shownRoles(roles: Iterable<Role>): string {
  return [...roles].join(' + ');
}
