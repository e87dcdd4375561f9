import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { faultLines } from '../daemon/fault-lines.ts';
import { mapOf } from '../daemon/fields.ts';
import { OperationError } from '../daemon/operation-error.ts';

/** The part of Marathon's app definition that a container on this machine needs, with Marathon's defaults. */
export const marathonApp = v.object({
  id: v.pipe(v.string(), v.regex(/^\/[a-z0-9./-]+$/, 'must be a path such as /python-stable')),
  instances: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 1),
  args: v.optional(v.array(v.string()), []),
  env: v.optional(mapOf(v.string()), {}),
  container: v.object({
    docker: v.object({
      image: v.pipe(v.string(), v.nonEmpty()),
      portMappings: v.optional(
        v.array(
          v.object({
            containerPort: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
            hostPort: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), 0),
            protocol: v.optional(v.picklist(['tcp', 'udp']), 'tcp'),
          }),
        ),
        [],
      ),
    }),
  }),
});
export type MarathonApp = v.InferOutput<typeof marathonApp>;

/** Reads a Marathon app's JSON file. @throws OperationError that names everything wrong with it. */
export async function readMarathonApp(file: string): Promise<MarathonApp> {
  try {
    return v.parse(marathonApp, JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    const hint = v.isValiError(cause) ? faultLines(cause.issues).join('; ') : undefined;
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
