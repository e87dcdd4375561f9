import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type EdgeWorld, startEdgeWorld } from '../harness/edge-world.ts';
import { until } from '../harness/until.ts';

let world: EdgeWorld;
let browser: Browser;
let page: Page;
/** What the browser complained about: scripts, styles, content that was refused. */
let complaints: string[];

beforeAll(async () => {
  world = await startEdgeWorld();
  // Names of services lead to the edge, as dnsmasq has them do on a node.
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', `--host-resolver-rules=MAP *.consul ${world.edge.bind}`],
  });
  page = await browser.newPage();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
});

/** Goes to a host of the edge and answers the status, with complaints from this page alone. */
async function visit(host: string, path = '/', port = world.edge.ports.http): Promise<number | undefined> {
  complaints = [];
  return (await page.goto(`http://${host}:${port}${path}`))?.status();
}

test('a service is reached by its name', async () => {
  await world.serve('my_service', 'a', ['haproxy']);
  await world.isAnswered('my_service.service.consul', 'my_service/a');
  expect(await visit('my_service.service.consul', '/index.html?a=1')).toBe(200);
  expect(complaints).toEqual([]);
});

test('the landing page says what this is, and how a service gets here', async () => {
  expect(await visit(world.edge.bind)).toBe(200);
  expect(await page.title()).toBe('Toots edge');
  expect(await page.getByRole('heading').textContent()).toBe('This is an edge of Toots');
  expect(await page.locator('html').getAttribute('lang')).toBe('en');
});

test('a host that nobody claims gets a page that says so', async () => {
  expect(await visit('nobody.service.consul')).toBe(503);
  expect(await page.getByRole('heading').textContent()).toBe('No service has this host or path');
});

test('a service without a healthy instance is named on its page', async () => {
  const one = await world.serve('sick', 'a', ['haproxy']);
  await world.isAnswered('sick.service.consul', 'sick/a');
  await world.change(one, { health: 'critical' });
  await world.isAnswered('sick.service.consul', '503');
  expect(await visit('sick.service.consul')).toBe(503);
  expect(await page.getByRole('heading').textContent()).toBe('The service sick is not available');
});

test('pages are readable on a phone: nothing is wider than the screen', async () => {
  await page.setViewportSize({ width: 360, height: 640 });
  for (const host of [world.edge.bind, 'nobody.service.consul', 'sick.service.consul']) {
    await visit(host);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  }
});

test('the statistics of HAProxy list the services', async () => {
  await until(async () => (await visit(world.edge.bind, '/', world.edge.ports.stats)) === 200, 5_000, 'the statistics answer');
  expect(await page.getByRole('link', { name: 'my_service' }).count()).toBeGreaterThan(0);
});
