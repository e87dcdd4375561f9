import { askHttpTimes } from '../ask.ts';
import { SPLIT_HOST } from './visits.ts';

/** How many answers came from each deployment. */
export type Split = Readonly<Record<string, number>>;

export const SPLIT_REQUESTS = 200;
const CLIENTS = 4;

/** Asks the service with two deployments many times, and counts who answered. */
export async function measureSplit(httpPort: number, signal: AbortSignal): Promise<Split> {
  return countDeployments(await askHttpTimes({ port: httpPort, path: '/', host: SPLIT_HOST }, SPLIT_REQUESTS, CLIENTS, signal));
}

/** Of answers such as `python-stable on 5b1e…: GET /`. Pure. */
export function countDeployments(answers: readonly string[]): Split {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const deployment = answer.split(' ')[0] ?? '';
    counts[deployment] = (counts[deployment] ?? 0) + 1;
  }
  return counts;
}

/** Weights 100 to 1 are 198 to 2 of 200; a request more or less is the turn it started at. Pure. */
export function isFairSplit(split: Split): boolean {
  const canary = split['python-canary'] ?? 0;
  return (split['python-stable'] ?? 0) + canary === SPLIT_REQUESTS && canary >= 1 && canary <= 6;
}
