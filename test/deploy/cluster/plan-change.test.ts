import { expect, test } from '@jest/globals';
import { composeText } from '../../../deploy/cluster/compose-text.ts';
import { changeText, planChange } from '../../../deploy/cluster/plan-change.ts';
import { planNode } from '../../../deploy/cluster/plan-node.ts';
import { aNode } from './a-node.ts';

const text = (options: Parameters<typeof aNode>[0]) => composeText(planNode(aNode(options)));
const does = (before: string | undefined, after: string) =>
  Object.fromEntries(planChange(before, after).map(({ name, does: what }) => [name, what]));

test('a first start starts everything, the same again keeps everything', () => {
  const edge = text({ roles: ['edge'] });

  expect(does(undefined, edge)).toEqual({ consul: 'start', templater: 'start', haproxy: 'start' });
  expect(does(edge, edge)).toEqual({ consul: 'keep', templater: 'keep', haproxy: 'keep' });
});

test('what is different is told, and only that is replaced', () => {
  const changes = planChange(text({ roles: ['edge'] }), text({ roles: ['edge'], conf: 'EX_DOMAIN=example.org' }));

  expect(changes).toContainEqual({ name: 'templater', does: 'replace', because: ['command'] });
  expect(changes.filter(({ does: what }) => what !== 'keep')).toHaveLength(1);
  expect(changeText(changes)).toContain('  templater  replace (command)\n');
});

test('another role removes what it does not run', () => {
  expect(
    does(text({ roles: ['slave', 'edge'], conf: 'ORCHESTRATOR=none' }), text({ roles: ['slave'], conf: 'ORCHESTRATOR=none' })),
  ).toEqual({
    consul: 'replace',
    registrator: 'keep',
    templater: 'remove',
    haproxy: 'remove',
  });
});
