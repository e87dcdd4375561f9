import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { dockerRunArguments, marathonApp } from '../../deploy/marathon-app.ts';
import { docker } from './docker.ts';

/** A double of Marathon: the part of `/v2` that deploys apps, which starts and ends real containers. */
export interface MarathonDouble extends AsyncDisposable {
  readonly url: string;
  /** Every request as `METHOD /path`. */
  readonly requests: readonly string[];
}

type App = Parameters<typeof dockerRunArguments>[0];
interface Deployment {
  readonly id: string;
  readonly appId: string;
  /** What to go back to; undefined for a new app. */
  readonly before: App | undefined;
}

/** With `credentials` (`user:password`) it asks for them. An image that the engine does not have leaves its deployment going on, as in Marathon. */
export async function startMarathonDouble({ credentials }: { readonly credentials?: string } = {}): Promise<MarathonDouble> {
  const apps = new Map<string, App>();
  const deployments = new Map<string, Deployment>();
  const containers = new Map<string, string[]>();
  const failures = new Map<string, string>();
  const requests: string[] = [];

  async function scale(deployment: Deployment): Promise<void> {
    const { appId } = deployment;
    const app = apps.get(appId);
    const started: string[] = [];
    try {
      for (let i = 0; i < (app?.instances ?? 0); i += 1) {
        if (app === undefined) break;
        const name = `marathon-double-${randomUUID().slice(0, 8)}`;
        started.push(await docker(...dockerRunArguments(app, { name, labels: ['toots.test'] })));
      }
    } catch (error) {
      failures.set(appId, String(error));
      if (started.length > 0) await docker('rm', '-f', ...started);
      return; // it is tried for ever, as Marathon does
    }
    const old = containers.get(appId) ?? [];
    containers.set(appId, started);
    if (old.length > 0) await docker('rm', '-f', ...old);
    deployments.delete(deployment.id);
  }

  function begin(appId: string, wanted: App | undefined): { status: number; body: unknown } {
    const deployment = { id: randomUUID(), appId, before: apps.get(appId) };
    if (wanted === undefined) apps.delete(appId);
    else apps.set(appId, wanted);
    deployments.set(deployment.id, deployment);
    void scale(deployment);
    return { status: 200, body: { version: new Date().toISOString(), deploymentId: deployment.id } };
  }

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const url = new URL(request.url ?? '/', 'http://double');
    const expected = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    if (request.headers.authorization !== expected) return { status: 401, body: { message: 'Invalid username or password.' } };
    const [, what, id = ''] = /^\/v2\/(apps|deployments)\/?(.*)$/.exec(url.pathname) ?? [];
    if (request.method === 'GET' && what === 'deployments')
      return { status: 200, body: [...deployments.values()].map((one) => ({ id: one.id })) };
    if (request.method === 'DELETE' && what === 'deployments') {
      const going = deployments.get(id);
      if (going === undefined) return { status: 404, body: { message: `DeploymentPlan ${id} does not exist` } };
      deployments.delete(id);
      return begin(going.appId, going.before);
    }
    const appId = `/${id}`;
    if (request.method === 'PUT' && what === 'apps') {
      const locked = [...deployments.values()].filter((one) => one.appId === appId);
      if (locked.length > 0 && url.searchParams.get('force') !== 'true')
        return {
          status: 409,
          body: {
            message: `App is locked by one or more deployments. Override with the option '?force=true'.`,
            deployments: locked.map((one) => ({ id: one.id })),
          },
        };
      for (const one of locked) deployments.delete(one.id);
      const body: object = JSON.parse(await text(request));
      return begin(appId, { ...body, ...v.parse(marathonApp, { ...body, id: appId }) });
    }
    const app = apps.get(appId);
    if (request.method !== 'GET' || what !== 'apps' || app === undefined)
      return { status: 404, body: { message: `App '${appId}' does not exist` } };
    const running = containers.get(appId)?.length ?? 0;
    const failure = failures.get(appId);
    const state = {
      ...app,
      tasksRunning: running,
      tasksHealthy: running,
      ...(failure !== undefined && { lastTaskFailure: { message: failure } }),
    };
    return { status: 200, body: { app: state } };
  }

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    void answer(request).then(({ status, body }) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      const left = [...containers.values()].flat();
      if (left.length > 0) await docker('rm', '-f', ...left);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
