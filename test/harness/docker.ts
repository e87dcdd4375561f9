import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { tempDir } from './temp-dir.ts';

/** A container of a test. */
export interface TestContainer extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  /** Its address on its network. */
  readonly address: () => Promise<string>;
  /** The port of the host that one of its ports is published on, such as `80` or `53/udp`. */
  readonly hostPort: (port: number | string) => Promise<number>;
}

export interface ContainerOptions {
  /** {@link testImage} unless said. */
  readonly image?: string;
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** As `docker run -p` takes them: `80`, `127.0.0.1:8080:80`, `53/udp`. */
  readonly publish?: readonly (number | string)[];
  /** Further arguments of `docker run`, before the image. */
  readonly run?: readonly string[];
  /** What runs in it; a web server on port 80 that answers its host name unless said. */
  readonly command?: readonly string[];
}

/** Runs the `docker` client; answers what it printed, trimmed. @throws ExecaError with its words when it fails. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await execa('docker', args, { stdin: 'ignore' });
  return stdout.trim();
}

/** The label of everything that tests create, for looking after a killed run. */
const LABEL = 'toots.test';

/** Starts a container that is removed, running or not, when the test is done with it. */
export async function startContainer(options: ContainerOptions = {}): Promise<TestContainer> {
  const { env = {}, labels = {}, publish = [], run = [], command = ['sh', '-c', SERVE_HOST_NAME] } = options;
  const id = await docker(
    ...['run', '-d', '--label', LABEL],
    ...(options.name === undefined ? [] : ['--name', options.name]),
    ...Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
    ...Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
    ...publish.flatMap((port) => ['-p', String(port)]),
    ...run,
    options.image ?? (await testImage()),
    ...command,
  );
  return {
    id,
    name: (await docker('inspect', '-f', '{{.Name}}', id)).replace(/^\//, ''),
    address: () => docker('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id),
    hostPort: async (port) => Number(/:(\d+)$/m.exec(await docker('port', id, String(port)))?.[1]),
    [Symbol.asyncDispose]: async () => {
      await docker('rm', '-f', '-v', id).catch((error: unknown) => {
        if (!/No such container|already in progress/.test(String(error))) throw error;
      });
    },
  };
}

/** Ends at once on TERM, as a program in a container should. */
const SERVE_HOST_NAME = 'mkdir -p /www; hostname > /www/index.html; trap exit TERM; httpd -f -p 80 -h /www & wait';

let image: Promise<string> | undefined;

/** An image of 2 MB with busybox (sh, httpd, nc, …), made of this machine's own; built once. */
export async function testImage(): Promise<string> {
  image ??= buildTestImage();
  return await image;
}

async function buildTestImage(): Promise<string> {
  await using folder = await tempDir();
  await copyFile('/bin/busybox', join(folder.path, 'busybox'));
  await writeFile(
    join(folder.path, 'Dockerfile'),
    'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\nRUN mkdir -p /tmp /etc /www\n',
  );
  await execa('docker', ['build', '-q', '-t', 'toots-test', folder.path], { env: { DOCKER_BUILDKIT: '0' }, stdin: 'ignore' });
  return 'toots-test';
}
