import { expect, test } from '@jest/globals';
import { announcement, nextSteps } from '../../../deploy/demo/announce.ts';
import type { Visit } from '../../../deploy/demo/visits.ts';

const visit = (title: string, command: string): Visit => ({ title, command, expect: /./, ask: async () => '' });

test('each thing to try is told with the real port and the answer it gave', () => {
  const text = announcement(
    [
      { kind: 'good', visit: visit('By name', 'curl http://127.0.0.1:8080/'), answer: 'hello\nworld\n' },
      { kind: 'good', visit: visit('A page', 'http://127.0.0.1:81/'), answer: '<!DOCTYPE html><p>long' },
    ],
    { 'python-canary': 2, 'python-stable': 198 },
    8080,
  );

  expect(text).toBe(`  By name
    curl http://127.0.0.1:8080/
      → hello
      → world

  A page
    http://127.0.0.1:81/

  Stable and canary, 200 requests
    for i in $(seq 200); do curl -sH 'Host: python.service.consul' http://127.0.0.1:8080/; done | cut -d' ' -f1 | sort | uniq -c
      → python-stable 198, python-canary 2
`);
});

test('what to do next names the ports only where they are not the usual ones', () => {
  expect(nextSteps({ consul: 8500, templater: 9182 }, 'demo')).toBe(`  And then
    ./toots.sh explain python.service.consul/media               why a request goes where it goes
    ./toots.sh weight python python-stable=50 python-canary=50   half of the requests for the canary
    docker stop demo-python-stable                               it is drained first, then the canary has them all
`);
  const moved = nextSteps({ consul: 8510, templater: 9282 }, 'demo');
  expect(moved).toContain('./toots.sh explain python.service.consul/media -api 127.0.0.1:9282 ');
  expect(moved).toContain('python-canary=50 -consul 127.0.0.1:8510 ');
});
