import { OperationError } from '../../daemon/operation-error.ts';
import type { Option } from '../../daemon/settings.ts';
import { addressAndPort } from '../../daemon/values.ts';

const ANSWER_WITHIN_MS = 5_000;

/** Which templater is asked. */
export const templaterApi = {
  flag: 'api',
  env: ['TOOTS_TEMPLATER_API'],
  value: 'ADDR:PORT',
  schema: addressAndPort('127.0.0.1:9182'),
  describe: 'API of the templater of an edge node',
} satisfies Option<{ address: string; port: number }>;

/** Asks the templater's API; answers its JSON. @throws OperationError when it does not answer with 200. */
export async function askTemplater(
  api: { address: string; port: number },
  method: 'GET' | 'POST',
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<unknown> {
  const host = api.address === '' ? '127.0.0.1' : api.address;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${api.port}${path}?${new URLSearchParams(query)}`;
  let response: Response;
  try {
    response = await fetch(url, { method, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  } catch (cause) {
    throw new OperationError('ask the templater', {
      subject: url,
      cause,
      hint: 'no answer; is this an edge node? Name its API with -api ADDR:PORT',
    });
  }
  if (!response.ok)
    throw new OperationError('ask the templater', {
      subject: url,
      hint: `${response.status} ${(await response.text()).slice(0, 300).trim()}`,
    });
  return await response.json();
}
