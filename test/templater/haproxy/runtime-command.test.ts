import { expect, test } from '@jest/globals';
import { weight } from '../../../model/weight.ts';
import type { EdgeAction } from '../../../templater/haproxy/edge-change.ts';
import { MOST_PAYLOAD_BYTES, runtimeCommands } from '../../../templater/haproxy/runtime-command.ts';
import { edgeInstance, FILES } from './a-plan.ts';

const NO_CHANGE = { add: new Map<string, string>(), set: new Map<string, string>(), drop: [] };

function texts(action: EdgeAction): string[] {
  return runtimeCommands(action, FILES).map(({ text, payload }) => [text, ...(payload ?? [])].join('\n'));
}

test.each<[action: EdgeAction, commands: string[]]>([
  [
    { kind: 'add', group: 'web', instance: edgeInstance('a', { weight: weight(5), maxConnections: 7 }), checked: false },
    [
      'add server web/a 10.0.0.1:8080 weight 5 maxconn 7 check inter 1h fastinter 50ms downinter 500ms fall 1 rise 1 observe layer4 error-limit 1 on-error fastinter',
      'enable health web/a',
      'enable server web/a',
    ],
  ],
  [
    { kind: 'add', group: 'tcp:web', instance: edgeInstance('a', { address: '::1', backup: true }), checked: true },
    [
      'add server tcp:web/a [::1]:8080 weight 100 maxconn 128 backup check inter 2s fall 3 rise 2',
      'enable health tcp:web/a',
      'enable server tcp:web/a',
    ],
  ],
  [{ kind: 'cookies', group: 'web' }, ['set dynamic-cookie-key backend web 61d1aba4e173197d53f58c429e49c31f']],
  [
    { kind: 'add-group', group: 'web', section: '', defaults: 'toots:http:uri' },
    ['add backend web from toots:http:uri', 'publish backend web'],
  ],
  [{ kind: 'drop-group', group: 'web' }, ['unpublish backend web', 'del backend web']],
  [{ kind: 'stop', group: 'web', name: 'a' }, ['set server web/a state maint']],
  [{ kind: 'remove', group: 'web', name: 'a' }, ['del server web/a']],
  [{ kind: 'ready', group: 'web', name: 'a' }, ['set server web/a state ready']],
  [{ kind: 'address', group: 'web', name: 'a', address: '::1', port: 80 }, ['set server web/a addr ::1 port 80']],
  [{ kind: 'open', frontend: 'toots:web' }, ['enable frontend toots:web']],
  [{ kind: 'unthrottle', throttle: { what: '', undo: 'set maxconn global 9' } }, ['set maxconn global 9']],
  [{ kind: 'weight', group: 'web', name: 'a', weight: 0 }, ['set server web/a weight 0']],
  [{ kind: 'max-connections', group: 'web', name: 'a', maxConnections: 9 }, ['set maxconn server web/a 9']],
  [
    {
      kind: 'map',
      map: 'hosts',
      add: new Map([
        ['a.x', 'a'],
        ['b.x', 'b'],
      ]),
      set: new Map([['c.x', 'a']]),
      drop: ['d.x'],
    },
    ['add map /run/edge/hosts.map <<\na.x a\nb.x b', 'set map /run/edge/hosts.map c.x a', 'del map /run/edge/hosts.map d.x'],
  ],
  [
    { kind: 'map', map: 'paths', ...NO_CHANGE, set: new Map([['/a;b/', 'a']]), drop: ['/c;d/'] },
    ['set map /run/edge/paths.map /a\\;b/ a', 'del map /run/edge/paths.map /c\\;d/'],
  ],
  [{ kind: 'map', map: 'vhosts', ...NO_CHANGE, drop: ['=a.test/x/'] }, ['del map /run/edge/vhosts.map =a.test/x/']],
])('%j', (action, commands) => {
  expect(texts(action)).toEqual(commands);
});

test.each<[kind: string, action: EdgeAction, done: string, not: string]>([
  ['stop', { kind: 'stop', group: 'web', name: 'a' }, '', 'No such server.'],
  [
    'remove',
    { kind: 'remove', group: 'web', name: 'a' },
    'Server deleted.',
    'Server still has connections attached to it, cannot remove it.',
  ],
  [
    'add',
    { kind: 'add', group: 'web', instance: edgeInstance('a'), checked: false },
    'New server registered.',
    'Already exists a server with the same name in backend.',
  ],
  [
    'drop',
    { kind: 'map', map: 'hosts', ...NO_CHANGE, drop: ['x'] },
    'Key not found.',
    'Unknown map identifier. Please use #<id> or <file>.',
  ],
])('%s is done when HAProxy says so, and only then', (_, action, done, not) => {
  const [command] = runtimeCommands(action, FILES);

  expect(command?.done.test(done)).toBe(true);
  expect(command?.done.test(not)).toBe(false);
});

test('entries of any number travel in payloads that HAProxy’s buffer holds, each once', () => {
  const add = new Map(Array.from({ length: 1_000 }, (_, i) => [`/${'x'.repeat(i % 90)}${i}/`, `group-${i}`]));

  const commands = runtimeCommands({ kind: 'map', map: 'paths', ...NO_CHANGE, add }, FILES);

  expect(commands.length).toBeGreaterThan(5);
  for (const { payload = [] } of commands) expect(`${payload.join('\n')}\n`.length).toBeLessThanOrEqual(MOST_PAYLOAD_BYTES);
  expect(commands.flatMap(({ payload = [] }) => payload)).toEqual([...add].map(([key, group]) => `${key} ${group}`));
});
