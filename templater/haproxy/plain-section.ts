import { BALANCES, type EdgeGroup } from '../../model/edge.ts';
import { checkWords } from './check-words.ts';

/** Named defaults that a backend can be added from at run time: by mode and balance. */
export const PLAIN_DEFAULTS = BALANCES.flatMap((balance) => [
  { name: defaultsName('http', balance), mode: 'http', balance, isHashed: isHashed(balance) },
  ...(balance === 'uri' ? [] : [{ name: defaultsName('tcp', balance), mode: 'tcp', balance, isHashed: isHashed(balance) }]),
]);

const START = /^backend (?<key>\S+) from toots:(?<mode>http|tcp)\n {4}balance (?<balance>\w+)\n/;

/** The defaults that stand for all that a section says, so that HAProxy from 3.4 takes it at run time; undefined when it says more. Pure. */
export function defaultsOfSection(section: string): string | undefined {
  const { key = '', mode = '', balance = '' } = START.exec(section)?.groups ?? {};
  if (section !== plainSection(key, mode, balance)) return undefined;
  return PLAIN_DEFAULTS.find(({ name }) => name === defaultsName(mode, balance))?.name;
}

/** The section of a group that says nothing but how an instance is chosen. Servers that are added are told how they are checked. Pure. */
export function plainSection(key: string, mode: string, balance: string): string {
  return [
    `backend ${key} from toots:${mode}`,
    `    balance ${balance}`,
    ...(isHashed(balance) ? ['    hash-type consistent'] : []),
    `    default-server ${checkWords(false)}`,
  ].join('\n');
}

function defaultsName(mode: string, balance: string): string {
  return `toots:${mode}:${balance}`;
}

function isHashed(balance: string): boolean {
  return (['source', 'uri'] satisfies EdgeGroup['balance'][] as string[]).includes(balance);
}
