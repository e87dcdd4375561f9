import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { OperationError } from '../daemon/operation-error.ts';

/** The part of Marathon's app definition that a container on this machine needs. */
const marathonApp = z.object({
  id: z.string().regex(/^\/[a-z0-9./-]+$/, 'must be a path such as /python-stable'),
  instances: z.number().int().min(0).default(1),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  container: z.object({
    docker: z.object({
      image: z.string().min(1),
      portMappings: z
        .array(
          z.object({
            containerPort: z.number().int().min(1).max(65_535),
            hostPort: z.number().int().min(0).max(65_535).default(0),
            protocol: z.enum(['tcp', 'udp']).default('tcp'),
          }),
        )
        .default([]),
    }),
  }),
});
export type MarathonApp = z.output<typeof marathonApp>;

/** Reads a Marathon app's JSON file. @throws OperationError that names everything wrong with it. */
export async function readMarathonApp(file: string): Promise<MarathonApp> {
  try {
    return marathonApp.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    const hint = cause instanceof z.ZodError ? z.prettifyError(cause) : undefined;
    throw new OperationError('read Marathon app', { subject: file, cause, ...(hint !== undefined && { hint }) });
  }
}

/** The arguments of `docker run` that start one instance as Marathon would: it tells the container which app it belongs to. Pure. */
export function dockerRunArguments(app: MarathonApp, { name, labels }: { name: string; labels: readonly string[] }): readonly string[] {
  const { image, portMappings } = app.container.docker;
  const env = { ...app.env, MARATHON_APP_ID: app.id };
  return [
    ...['run', '--detach', '--name', name],
    ...labels.flatMap((label) => ['--label', label]),
    ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...portMappings.flatMap((port) => ['--publish', publication(port)]),
    image,
    ...app.args,
  ];
}

/** On IPv4 alone: Docker 20.10 may give the IPv6 side of a free port another number, which then is an instance of its own. */
function publication({ hostPort, containerPort, protocol }: MarathonApp['container']['docker']['portMappings'][number]): string {
  return `0.0.0.0:${hostPort === 0 ? '' : hostPort}:${containerPort}/${protocol}`;
}
