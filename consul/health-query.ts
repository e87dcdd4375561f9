import type { BlockingQuery } from './blocking-query.ts';
import { type HealthAnswer, parseHealthEntries } from './health-entry.ts';

/** All instances of a service with their checks, whatever their health. */
export function healthQuery(name: string): BlockingQuery<HealthAnswer> {
  return { path: `/v1/health/service/${encodeURIComponent(name)}`, parse: (json) => parseHealthEntries(json, name) };
}
