import { expect, test } from '@jest/globals';
import { parseTagTemplate } from '../../registrator/tag-template.ts';

const CONTAINER = { Config: { Hostname: 'h', Env: ['a', 'b'] } };
const render = (source: string) => parseTagTemplate(source).render(CONTAINER, (url) => `answer of ${url}`);

test.each([
  ['', []],
  ['a,b', ['a', 'b']],
  ['a\\,b,c', ['a,b', 'c']],
  ['x={{.Config.Hostname}},y', ['x=h', 'y']],
  ['{{join "," .Config.Env}},c', ['a', 'b', 'c']],
  ['{{httpGet "http://x/" | toUpper}},{{httpGet (printf "http://%s/" .Config.Hostname)}}', ['ANSWER OF HTTP://X/', 'answer of http://h/']],
  ['{{if .Config.Hostname}}a,b{{end}},c', ['a', 'b', 'c']],
  ['{{$h := .Config.Hostname}}a-{{$h}},b-{{$h}}', ['a-h', 'b-h']],
])('%j', (source, tags) => {
  expect(render(source)).toEqual({ tags, faults: [] });
});

test('a tag that cannot be made costs only itself', () => {
  const { tags, faults } = render('a,x={{.Nope}},b');

  expect(tags).toEqual(['a', 'b']);
  expect(faults).toEqual([{ reason: expect.stringContaining('Nope') }]);
});

test('plain tags do not look at the container', () => {
  expect(parseTagTemplate('a,b').isDynamic).toBe(false);
  expect(parseTagTemplate('a,{{.Name}}').isDynamic).toBe(true);
});
