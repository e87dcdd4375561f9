import * as v from 'valibot';
import { OperationError } from '../../daemon/operation-error.ts';
import type { AppDefinition } from './app-definition.ts';

/** What is asked of Marathon's API (`/v2`). All of it throws OperationError when it does not answer, or refuses. */
export interface MarathonApi {
  /** Creates the app, or changes it; answers the deployment that does it. */
  readonly deploy: (app: AppDefinition, force: boolean) => Promise<string>;
  /** Deployments that go on. */
  readonly deployments: () => Promise<ReadonlySet<string>>;
  readonly app: (id: string) => Promise<AppState>;
  /** Goes back to what was before a deployment; answers the deployment that does that. */
  readonly rollBack: (deployment: string) => Promise<string>;
}

/** How an app is. */
export interface AppState {
  readonly instances: number;
  readonly running: number;
  /** Undefined for an app without health checks. */
  readonly healthy: number | undefined;
  readonly lastFailure: string | undefined;
}

const WITHIN_MS = 15_000;

const deploymentAnswer = v.object({ deploymentId: v.string() });
const deploymentList = v.array(v.object({ id: v.string() }));
const appAnswer = v.object({
  app: v.object({
    instances: v.number(),
    tasksRunning: v.number(),
    tasksHealthy: v.number(),
    healthChecks: v.optional(v.array(v.unknown()), []),
    lastTaskFailure: v.optional(v.object({ message: v.string() })),
  }),
});

/** Marathon at `url`; `credentials` are `user:password`, or empty. */
export function createMarathonApi(url: string, credentials: string): MarathonApi {
  const ask = async (method: 'GET' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown> => {
    const operation = `Marathon ${method} ${path}`;
    const headers: Record<string, string> = {
      ...(credentials !== '' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const init = { method, headers, signal: AbortSignal.timeout(WITHIN_MS), ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await fetch(new URL(path, url), init).catch((cause: unknown) => {
      throw new OperationError(operation, { subject: url, cause, hint: 'no answer; name it with -marathon URL' });
    });
    const text = await response.text();
    if (!response.ok) throw new OperationError(operation, { subject: url, hint: `${response.status} ${text.slice(0, 500).trim()}` });
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new OperationError(operation, {
        subject: url,
        cause,
        hint: `this is not Marathon: it answers ${JSON.stringify(text.slice(0, 80))}; name it with -marathon URL`,
      });
    }
  };
  return {
    deploy: async (app, force) =>
      v.parse(deploymentAnswer, await ask('PUT', `/v2/apps/${app.id.slice(1)}${force ? '?force=true' : ''}`, app)).deploymentId,
    deployments: async () => new Set(v.parse(deploymentList, await ask('GET', '/v2/deployments')).map(({ id }) => id)),
    app: async (id) => {
      const { instances, tasksRunning, tasksHealthy, healthChecks, lastTaskFailure } = v.parse(
        appAnswer,
        await ask('GET', `/v2/apps/${id.slice(1)}`),
      ).app;
      const healthy = healthChecks.length === 0 ? undefined : tasksHealthy;
      return { instances, running: tasksRunning, healthy, lastFailure: lastTaskFailure?.message };
    },
    rollBack: async (deployment) =>
      v.parse(deploymentAnswer, await ask('DELETE', `/v2/deployments/${encodeURIComponent(deployment)}`)).deploymentId,
  };
}
