import * as v from 'valibot';
import { ConsulRefusal, call } from '../../consul/call.ts';
import { consulOptions, consulSettings } from '../../consul/settings.ts';
import { type ConsulTransport, createTransport } from '../../consul/transport.ts';
import { mapOf } from '../../daemon/fields.ts';
import { flag } from '../../daemon/values.ts';
import { isHostName } from '../../model/host-name.ts';
import { VARIANT_META } from '../../model/instance.ts';
import { shownVariant, unknownVariants } from '../../model/variant-name.ts';
import { parseWeightShares } from '../../model/weight-shares.ts';
import { command, wrongUsage } from '../command.ts';

/** Splits a service's requests between its variants, whatever the number of their instances. */
export const weightCommand = command(
  {
    name: 'weight',
    usage: 'SERVICE [VARIANT=SHARE …] [-force|-clear]',
    line: 'Splits a service’s requests between its variants: weight python stable=90 canary=10',
    about:
      'Gives each named variant of a service a share of its requests (KV haproxy/SERVICE/weights), whatever the number of its instances; variants that are not named share what is left of 100 by the weights of their tags. Every edge follows at the next request. Without shares it prints those that are set; -clear goes back to the tags.',
    options: {
      ...consulSettings,
      force: { flag: 'force', schema: flag(), describe: 'Sets shares of variants that have no instance yet' },
      clear: { flag: 'clear', schema: flag(), describe: 'Removes the shares; the weights of the tags count again' },
    },
    positionals: { least: 1, most: 100 },
  },
  async (settings, [service = '', ...words]) => {
    const { shares, problems } = readShares(words);
    if (!isHostName(service)) problems.push(`${JSON.stringify(service)} is no name of a service`);
    if (settings.clear && words.length > 0) problems.push('-clear takes no shares');
    if (problems.length > 0) return wrongUsage(problems, 'toots weight -help');
    await using transport = createTransport(consulOptions(settings));
    const path = `/v1/kv/haproxy/${encodeURIComponent(service)}/weights`;
    const signal = new AbortController().signal;
    if (!settings.force && words.length > 0) {
      const variants = await variantsOf(transport, service, signal);
      const unknown = unknownVariants(Object.keys(shares), variants);
      if (unknown.length > 0)
        return wrongUsage(
          unknown.map((name) => unknownVariant(service, name, variants)),
          'toots weight -help',
        );
    }
    if (settings.clear) await call(transport, { method: 'DELETE', path }, signal);
    else if (words.length > 0) await call(transport, { method: 'PUT', path, body: JSON.stringify(shares) }, signal);
    process.stdout.write(`${service}: ${await shownShares(transport, path, signal)}\n`);
    return 0;
  },
);

/** The variants of a service's instances, healthy or not. */
async function variantsOf(transport: ConsulTransport, name: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const rows = v.parse(
    instances,
    await call(transport, { method: 'GET', path: `/v1/catalog/service/${encodeURIComponent(name)}` }, signal),
  );
  return new Set(rows.flatMap(({ ServiceMeta }) => (ServiceMeta?.[VARIANT_META] ? [ServiceMeta[VARIANT_META]] : [])));
}

const instances = v.array(v.object({ ServiceMeta: v.nullish(mapOf(v.string())) }));

function unknownVariant(service: string, name: string, variants: ReadonlySet<string>): string {
  const known =
    variants.size === 0
      ? 'none that is known'
      : [...variants]
          .map((variant) => shownVariant(variant, variants))
          .sort()
          .join(', ');
  return `${name} is no variant of ${service}, which has ${known}; -force sets its share all the same`;
}

/** `stable=90` words to an object; every fault is told. Pure. */
function readShares(words: readonly string[]): { shares: Record<string, number>; problems: string[] } {
  const pairs = words.map((word) => ({ word, match: /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(word) }));
  const problems = pairs
    .filter(({ match }) => match === null)
    .map(({ word }) => `${JSON.stringify(word)} is no share: VARIANT=NUMBER, such as canary=10`);
  const names = pairs.flatMap(({ match }) => match?.[1] ?? []);
  for (const name of new Set(names.filter((one, i) => names.indexOf(one) !== i))) problems.push(`${name} has several shares; give it one`);
  const shares = Object.fromEntries(pairs.flatMap(({ match }) => (match?.[1] === undefined ? [] : [[match[1], Number(match[2])]])));
  return { shares, problems };
}

async function shownShares(transport: ConsulTransport, path: string, signal: AbortSignal): Promise<string> {
  const text = await call(transport, { method: 'GET', path, query: { raw: '' } }, signal).then(
    (value) => JSON.stringify(value),
    (error: unknown) => {
      if (error instanceof ConsulRefusal && error.status === 404) return undefined;
      throw error;
    },
  );
  if (text === undefined) return 'no shares are set, the weights of the tags count';
  const shares = parseWeightShares(text);
  return typeof shares === 'string'
    ? `the shares that are set are ignored, ${shares}`
    : [...shares].map(([variant, share]) => `${variant}=${share}`).join(' ');
}
