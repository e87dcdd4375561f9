import { expect, test } from '@jest/globals';
import { statusText } from '../../../deploy/demo/status-command.ts';

test('the status names each program, each container, and what was refused', () => {
  const text = statusText({
    runDir: '/run/d',
    since: '2026-01-01T00:00:00.000Z',
    ready: true,
    programs: [
      { name: 'consul', pid: 7, notReady: undefined, problems: [] },
      { name: 'templater', pid: undefined, notReady: 'connect ECONNREFUSED', problems: ['web weight: too much'] },
    ],
    containers: [{ id: 'a', name: 'd-python-stable', status: 'Up 2 minutes' }],
  });

  expect(text).toBe(`The demo is up, since 2026-01-01T00:00:00.000Z; logs in /run/d/log
  consul                   pid 7
  templater                not running, not ready: connect ECONNREFUSED
  d-python-stable          Up 2 minutes
  ! web weight: too much
`);
});
