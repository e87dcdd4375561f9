import type { Finding } from './findings.ts';
import type { NodeContext } from './node-context.ts';
import { shownRoles } from './roles.ts';

/** Switches of Toots.conf that do not on this node what they say, or more than they seem to. The file is the same everywhere: none is wrong. Pure. */
export function switchFindings({ conf, answers: { roles } }: Pick<NodeContext, 'conf' | 'answers'>): readonly Finding[] {
  const found: readonly (readonly [isSo: boolean, what: string, remedy: string])[] = [
    [
      conf.START_DNSMASQ === true && !roles.has('slave'),
      `START_DNSMASQ=true starts nothing here: internal DNS is for slaves, and this node is ${shownRoles(roles)}`,
      'nothing, if it is meant for the slaves; else add slave to -roles',
    ],
    [
      conf.START_REGISTRATOR === true && !roles.has('slave') && !roles.has('master'),
      `START_REGISTRATOR=true starts nothing here: a registrator is for slaves and masters, and this node is ${shownRoles(roles)}`,
      'nothing, if it is meant for those; else add slave to -roles',
    ],
    [
      conf.START_REGISTRATOR === false && roles.has('slave'),
      'START_REGISTRATOR=false: nothing registers the containers of this slave',
      'take it out of Toots.conf, unless something else does; for masters alone it belongs into their restricted/overwrite',
    ],
  ];
  return found.flatMap(([isSo, what, remedy]) => (isSo ? [{ level: 'note', what, remedy }] : []));
}
