import { expect, test } from '@jest/globals';
import nunjucks from 'nunjucks';
import { isBrief } from '../../../templater/template/brief.ts';
import type { TemplateNode, TemplateParser } from '../../../templater/template/template-tree.ts';

function tree(text: string): TemplateNode {
  const { parser } = nunjucks as unknown as { parser: TemplateParser };
  return parser.parse(text, []);
}

test.each([
  'a text',
  '{{ key("a") }}',
  '{{ key("a") | toUpper | trim("x") }} {{ keyOrDefault("b", "c") }}',
  '{% if keyExists("a") and env("B") == "c" %}{{ -1 + 2 }}{% elif not env("D") %}{{ env("E") or "f" ~ "g" }}{% else %}{{ "x" if true }}{% endif %}',
  '{{ key("a").length }} {{ (key("a") | parseJSON).b[0] }} {{ service("web", {tag: "a"}) | toJSON }}',
  '{# nothing #}{% raw %}{{ {% }}{% endraw %}',
])('%s is brief', (text) => {
  expect(isBrief(tree(text))).toBe(true);
});

test.each([
  ['a loop', '{% for i in service("web") %}{% endfor %}'],
  ['a macro, which may call itself', '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'],
  ['another template', '{% include "a" %}'],
  ['a regular expression', '{{ "b" if r/(a+)+$/ }}'],
  ['a regular expression as an argument', '{{ key("a") | replaceAll(r/(a+)+$/, "") }}'],
  ['a method, which may make a regular expression of a text', '{{ key("a").match("(a+)+$") }}'],
  ['a method in brackets', '{{ key("a")["match"]("(a+)+$") }}'],
  ['a method under another name', '{% set key = "".match %}{{ key("(a+)+$") }}'],
  ['a filter of Nunjucks, which may make a text as long as it is told', '{{ "" | center(1000000000) }}'],
  ['numbers as many as are asked for', '{{ range(1000000) | toJSON }}'],
  ['a loop within a value', '{% if true %}{% filter trim %}{% for i in [1] %}{% endfor %}{% endfilter %}{% endif %}'],
])('%s is not: %s', (_, text) => {
  expect(isBrief(tree(text))).toBe(false);
});
