import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { createMarathonApi } from '../../../deploy/marathon/marathon-api.ts';
import { marathonCommand } from '../../../deploy/marathon/marathon-command.ts';
import { PROJECT_FOLDER } from '../../harness/program.ts';

test.each(['localhost:8080', '10.0.0.1:8080', 'ftp://10.0.0.1', 'file:///etc/passwd'])(
  '%s is no address of Marathon: exit 2',
  async (url) => {
    const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      expect(await marathonCommand.run(['deploy', join(PROJECT_FOLDER, 'examples/SimpleWebapp/deploy.json'), '-marathon', url])).toBe(2);
      expect(said).toHaveBeenCalledWith(`toots: -marathon must be a URL such as http://10.0.0.1:8080, got ${JSON.stringify(url)}\n`);
    } finally {
      said.mockRestore();
    }
  },
);

test('what answers as something else than Marathon is told in a line', async () => {
  const server = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await expect(createMarathonApi(url, '').deployments()).rejects.toMatchObject({
      name: 'OperationError',
      message: `Marathon GET /v2/deployments: ${url}: this is not Marathon: it answers "<html>"; name it with -marathon URL`,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
