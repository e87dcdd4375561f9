import { expect, test } from '@jest/globals';
import { parseDockerEvent } from '../../registrator/docker-event.ts';

const at = { time: 1795239062, timeNano: 1795239062451467300 };
const of = (Action: string, Attributes: Record<string, string> = {}, Type = 'container') => ({
  Type,
  Action,
  Actor: { ID: 'eb37', Attributes },
  scope: 'local',
  ...at,
});
const legacy = (Action: string) => ({ status: Action, id: 'eb37', from: 'img', ...of(Action) });

test.each([
  ['start as Engine 20.10 sends it', legacy('start'), { kind: 'changed', container: 'eb37', action: 'start' }],
  ['start as Engine 29 sends it', of('start'), { kind: 'changed', container: 'eb37', action: 'start' }],
  ['die', of('die', { exitCode: '7' }), { kind: 'died', container: 'eb37' }],
  ['die of Engine 29', of('die', { exitCode: '0', execDuration: '5' }), { kind: 'died', container: 'eb37' }],
  ['destroy', of('destroy'), { kind: 'died', container: 'eb37' }],
  ['kill', of('kill', { signal: '15' }), { kind: 'killed', container: 'eb37', signal: 15 }],
  ['a compound action', of('health_status: healthy'), { kind: 'changed', action: 'health_status' }],
  ['pause', of('pause'), { kind: 'changed', action: 'pause' }],
  ['rename', of('rename', { oldName: '/a', name: 'b' }), { kind: 'changed', action: 'rename' }],
  ['a network', of('connect', { container: '560d', name: 'bridge' }, 'network'), { kind: 'changed', container: '560d', action: 'connect' }],
])('%s', (_, line, event) => {
  expect(parseDockerEvent(line)).toMatchObject(event);
});

test.each([
  ['a command in a container', of('exec_create: sh -c "start"')],
  ['the end of a command', of('exec_die', { exitCode: '0' })],
  ['a container that is made', of('create')],
  ['an image', of('untag', {}, 'image')],
  ['a volume', of('mount', { container: 'eb37' }, 'volume')],
  ['a network of no container', of('create', { name: 'n' }, 'network')],
])('%s says nothing', (_, line) => {
  expect(parseDockerEvent(line)).toBeUndefined();
});

test('the time is in milliseconds', () => {
  expect(parseDockerEvent(of('start'))?.atMs).toBeCloseTo(1795239062451.467, 1);
  expect(parseDockerEvent({ ...of('start'), timeNano: undefined })?.atMs).toBe(1795239062000);
});

test('something else is refused', () => {
  expect(() => parseDockerEvent({ message: 'no' })).toThrow(/Type/);
});
