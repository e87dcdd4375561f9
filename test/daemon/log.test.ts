import { expect, test } from '@jest/globals';
import { createLog, LOG_LEVELS } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';

function logged(level: Parameters<typeof createLog>[1]) {
  const lines: string[] = [];
  return { log: createLog('try', level, { write: (line) => lines.push(line) }), lines };
}

test('an event is a line of JSON with its fields', () => {
  const { log, lines } = logged('info');

  log.info({ service: 'web', instances: 2 }, 'served');

  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/\}\n$/);
  const { time, ...event } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  expect(event).toEqual({ level: 'info', name: 'try', service: 'web', instances: 2, msg: 'served' });
  expect(new Date(String(time)).getTime()).toBeGreaterThan(0);
});

test.each<[Parameters<typeof createLog>[1], number]>([
  ['trace', 6],
  ['warn', 3],
  ['fatal', 1],
  ['silent', 0],
])('at %s, %i of the levels are written', (level, count) => {
  const { log, lines } = logged(level);

  for (const own of LOG_LEVELS) log[own]({}, 'x');

  expect(lines).toHaveLength(count);
});

test('an expected error says what is wrong once; a bug says where it is too', () => {
  const { log, lines } = logged('info');

  log.error({ err: new OperationError('read file', { subject: '/x', cause: new Error('gone') }) }, 'x');
  log.error({ err: new TypeError('bug') }, 'x');
  log.error({ err: Object.assign(new Error('spawn x ENOENT'), { code: 'ENOENT', syscall: 'spawn x' }) }, 'x');
  log.error({ err: '(t.njk) [Line 1] wrong' }, 'x');

  expect(JSON.parse(lines[2] ?? '')).toMatchObject({ err: 'spawn x ENOENT' });
  expect(JSON.parse(lines[3] ?? '')).toMatchObject({ err: '(t.njk) [Line 1] wrong' });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ err: 'read file: /x: gone' });
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ err: { message: 'bug', stack: expect.stringContaining('log.test') } });
});
