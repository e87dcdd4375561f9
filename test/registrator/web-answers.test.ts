import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { parseTagTemplate } from '../../registrator/tag-template.ts';
import { answering, askFor, hasFailed, NOTHING_ASKED, type WebAnswer } from '../../registrator/web-answers.ts';

const never = new AbortController().signal;
const ask = async (source: string, web: Record<string, WebAnswer>, known = NOTHING_ASKED) => {
  const asked: string[] = [];
  const template = parseTagTemplate(source);
  const get = async (url: string): Promise<WebAnswer> => {
    asked.push(url);
    return web[url] ?? { kind: 'failed', reason: 'nobody there' };
  };
  const answers = await askFor(template, { Name: 'x' }, known, never, get);
  return { asked, answers, ...template.render({ Name: 'x' }, answering(answers)) };
};
const text = (content: string): WebAnswer => ({ kind: 'text', text: content });

test('what is asked is asked once, and one URL may be made of the answer of another', async () => {
  const web = { 'http://zone/': text('b'), 'http://rack/b': text('{"rack":{"row":"r7"}}') };

  const { asked, tags } = await ask(
    '{{httpGet "http://zone/"}},{{jsonParse (httpGet (print "http://rack/" (httpGet "http://zone/"))) "rack::row"}}',
    web,
  );

  expect(tags).toEqual(['b', 'r7']);
  expect(asked).toEqual(['http://zone/', 'http://rack/b']);
});

test('what is known is not asked again, what failed is', async () => {
  const known = new Map<string, WebAnswer>([
    ['http://a/', text('old')],
    ['http://b/', { kind: 'failed', reason: 'then' }],
  ]);

  const { asked, tags } = await ask('{{httpGet "http://a/"}},{{httpGet "http://b/"}}', { 'http://b/': text('new') }, known);

  expect(asked).toEqual(['http://b/']);
  expect(tags).toEqual(['old', 'new']);
});

test('without an answer that tag is left out, and is a fault', async () => {
  const { tags, faults, answers } = await ask('a,{{httpGet "http://x/"}}', {});

  expect(tags).toEqual(['a']);
  expect(faults).toEqual([{ reason: expect.stringContaining('httpGet "http://x/": nobody there') }]);
  expect(hasFailed(answers)).toBe(true);
});

test('URLs without an end are not followed for ever', async () => {
  const { asked } = await ask('{{httpGet (print "http://x/" (httpGet "http://y/"))}}', { 'http://y/': text('z') });

  expect(asked).toEqual(['http://y/', 'http://x/z']);
});

test.each<[string, WebAnswer]>([
  ['/good', text('hello')],
  ['/bad', { kind: 'failed', reason: 'the answer is 500' }],
  ['/long', { kind: 'failed', reason: expect.stringContaining('longer') as unknown as string }],
])('over the wire: %s', async (path, expected) => {
  const server = createServer((request, answer) => {
    if (request.url === '/bad') answer.statusCode = 500;
    answer.end(request.url === '/long' ? 'x'.repeat(1_000_001) : 'hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  try {
    const answers = await askFor(parseTagTemplate(`{{httpGet "${url}"}}`), {}, NOTHING_ASKED, never);

    expect([...answers]).toEqual([[url, expected]]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test.each(['file:///etc/passwd', 'x', ''])('%j is no URL to ask', async (url) => {
  const answers = await askFor(parseTagTemplate(`{{httpGet "${url}"}}`), {}, NOTHING_ASKED, never);

  expect([...answers.values()]).toMatchObject([{ kind: 'failed', reason: expect.stringContaining('http://') }]);
});
