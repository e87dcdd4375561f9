import { expect, test } from '@jest/globals';
import { createProgress, shownDuration } from '../../deploy/progress.ts';

function paper(isTerminal: boolean): { readonly text: () => string; readonly screen: Parameters<typeof createProgress>[0] } {
  let text = '';
  return { text: () => text, screen: { isTerminal, columns: 20, write: (more) => (text += more) } };
}

test('a step is one line when it is done, with its result and its time', async () => {
  const { text, screen } = paper(false);
  const times = [0, 1_500];

  await createProgress(screen, () => times.shift() ?? 0).step(
    'Consul',
    async () => 8500,
    (port) => `on ${port}`,
  );

  expect(text()).toMatch(/^ {2}✓ Consul: on 8500 +1\.5 s\n$/);
});

test('a step that fails says so, and its error goes on', async () => {
  const { text, screen } = paper(false);

  await expect(createProgress(screen, () => 0).step('Consul', () => Promise.reject(new Error('no')))).rejects.toThrow('no');

  expect(text()).toBe('  ✗ Consul (after 0 ms)\n');
});

test('a terminal shows the step at once, and writes over that line', async () => {
  const { text, screen } = paper(true);

  await createProgress(screen, () => 0).step('Consul', async () => undefined);

  expect(text()).toMatch(/ Consul … 0 ms.*2K {2}✓ Consul/s);
});

test('a line that would wrap is cut, because it could not be cleared', async () => {
  const { text, screen } = paper(true);

  await createProgress(screen, () => 0).step('Installing a great many packages', async () => undefined);

  expect(text().split('\r')[1]).toMatch(/2K {2}⠙ Installing a gr$/);
});

test.each([
  [0, '0 ms'],
  [99.4, '99 ms'],
  [1_234, '1.2 s'],
  [59_949, '59.9 s'],
  [59_960, '1 min 0 s'],
  [125_000, '2 min 5 s'],
])('%d ms is shown as %s', (ms, shown) => {
  expect(shownDuration(ms)).toBe(shown);
});
