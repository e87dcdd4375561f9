import { expect, test } from '@jest/globals';
import { renderTemplate } from '../../../registrator/go-template/evaluate.ts';
import { parseTemplate } from '../../../registrator/go-template/parse.ts';

const CONTAINER = {
  Id: '0123456789abcdef',
  Name: '/web1',
  Config: { Hostname: 'box7', Env: ['A=1', 'SERVICE_NAME=x', 'B=2'], Labels: { 'com.example.team': 'red', tier: 'web' } },
  State: { Running: true, ExitCode: 0 },
  HostConfig: { Binds: null },
};

const render = (template: string) => renderTemplate(parseTemplate(template), CONTAINER, (url) => `answer of ${url}`);

test.each([
  ['plain', 'plain'],
  ['a{{.Config.Hostname}}b', 'aboxb'.replace('box', 'box7')],
  ['{{.ID}}', '0123456789abcdef'],
  ['{{.Config.Labels.tier}}', 'web'],
  ['{{.Config.Labels.nothing}}', '<no value>'],
  ['{{index .Config.Labels "com.example.team"}}', 'red'],
  ['{{index .Config.Labels "nothing"}}', ''],
  ['{{index .Config.Env 1}}', 'SERVICE_NAME=x'],
  ['{{.Config.Env}}', '[A=1 SERVICE_NAME=x B=2]'],
  ['{{.Config.Labels}}', 'map[com.example.team:red tier:web]'],
  ['{{.State.Running}} {{.State.ExitCode}} {{.HostConfig.Binds}}', 'true 0 <no value>'],
  ['{{.Config.Hostname | toUpper}}', 'BOX7'],
  ['{{toLower "ABC"}}{{toUpper `d`}}', 'abcD'],
  ['{{strSlice .ID 0 12}}', '0123456789ab'],
  ['{{strSlice .ID 12}}', 'cdef'],
  ['{{sIndex 0 .Config.Env}} {{.Config.Env | sIndex -1}} {{sIndex .Config.Env 1}}', 'A=1 B=2 SERVICE_NAME=x'],
  ['{{mIndex "tier" .Config.Labels}}{{mIndex .Config.Labels "nothing"}}', 'web'],
  ['{{replace -1 "o" "0" "foo"}} {{replace 1 "o" "0" "foo"}} {{replace "foo" "o" "0" -1}}', 'f00 f0o f00'],
  ['{{join "+" .Config.Env}} {{split "," "a,b"}} {{splitIndex 1 "=" "a=b"}}', 'A=1+SERVICE_NAME=x+B=2 [a b] b'],
  ['{{matchFirstElement "^SERVICE_" .Config.Env}} {{matchAllElements "=[12]" .Config.Env}}', 'SERVICE_NAME=x [A=1 B=2]'],
  ['{{jsonParse `{"a":{"b":7}}` "a::b"}}', '7'],
  ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
  ['{{if .State.ExitCode}}bad{{else if eq .Config.Hostname "box7"}}seven{{else}}other{{end}}', 'seven'],
  ['{{with .Config.Labels.tier}}t={{.}}{{end}}{{with .HostConfig.Binds}}no{{else}}none{{end}}', 't=webnone'],
  ['{{range .Config.Env}}<{{.}}>{{else}}no{{end}}', '<A=1><SERVICE_NAME=x><B=2>'],
  ['{{range .Config.Labels}}{{.}} {{end}}', 'red web '],
  ['{{$h := .Config.Hostname}}{{range .Config.Env}}{{$h}}{{end}}{{$.Name}}', 'box7box7box7/web1'],
  ['{{(index .Config.Env 0) | split "="}} {{len .Config.Env}} {{(.Config).Hostname}}', '[A 1] 3 box7'],
  ['{{and .State.Running (gt (len .Config.Env) 2)}} {{or "" "b"}} {{not true}} {{ne 1 2}}', 'true b false true'],
  ['{{printf "%s-%d %q%%" "a" 3 "b"}} {{print 1 "x"}}', 'a-3 "b"% 1x'],
  ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}', 'com.example.team=red;tier=web;'],
  ['{{range $i, $v := .Config.Env}}{{$i}}{{end}}{{range $v := .Config.Env}}<{{$v}}>{{end}}', '012<A=1><SERVICE_NAME=x><B=2>'],
  ['{{with $t := .Config.Labels.tier}}{{$t}}{{.}}{{end}}{{if $x := .State.ExitCode}}bad{{else}}{{$x}}{{end}}', 'webweb0'],
  ['{{$n := 0}}{{range .Config.Env}}{{$n = .}}{{end}}{{$n}}{{range .Config.Env}}{{$n := 1}}{{end}}{{$n}}', 'B=2B=2'],
  ['{{sIndex 9 .Config.Env}} {{splitIndex 9 "=" "a=b"}}{{sIndex 0 (split "," "")}}', 'B=2 b'],
  ['{{matchFirstElement "(?i)^service_" .Config.Env}}', 'SERVICE_NAME=x'],
  [
    '{{println "a" 1}}{{slice "abcdef" 1 3}}{{slice .Config.Env 2}}{{html "<a>&"}}{{urlquery "a b&c"}}',
    'a 1\nbc[B=2]&lt;a&gt;&amp;a+b%26c',
  ],
  ['{{printf "%5.2f|%-4s|%04d|%+d|%x|%t|%.2s|%8v|" 1.5 "ab" 7 7 "hi" true "abc" "x"}}', ' 1.50|ab  |0007|+7|6869|true|ab|       x|'],
  ['{{printf "%d %s" "a"}}{{printf "x" 1}}', '%!d(a) %!s(MISSING)x%!(EXTRA 1)'],
  ['a {{- "b" -}} c', 'abc'],
  ['a{{/* {{.Nope}} */}}b', 'ab'],
])('%s', (template, text) => {
  expect(render(template)).toBe(text);
});

test.each([
  ['{{.Nope}}', /Nope: there is no such field; there are Config/],
  ['{{.Config.Hostname.Nope}}', /box7 has no fields/],
  ['{{index .Config.Env 9}}', /no element 9/],
  ['{{$x = 1}}', /no variable \$x/],
  ['{{toUpper 1}}', /a text is wanted/],
  ['{{join "," "a"}}', /a list is wanted/],
  ['{{lt 1 "a"}}', /cannot be compared/],
  ['{{.Config.constructor}}', /no such field/],
  ['{{$x}}', /no variable \$x/],
  ['{{range .Name}}{{end}}', /cannot go through/],
  ['{{jsonParse "no" "a"}}', /not JSON/],
  ['{{matchFirstElement "(" .Config.Env}}', /no regular expression/],
])('%s cannot be carried out', (template, reason) => {
  expect(() => render(template)).toThrow(reason);
});

test('a regular expression takes no longer on what a container says than it is long', () => {
  const labels = { Config: { Env: [`X=${'a'.repeat(5_000)}!`] } };
  expect(renderTemplate(parseTemplate('{{matchFirstElement "^X=(a+)+$" .Config.Env}}'), labels, String)).toBe('');
});

test.each([
  ['{{', /without }}/],
  ['{{range $a, $b, $c := .A}}{{end}}', /not understood/],
  ['{{if $a, $b := .A}}{{end}}', /not understood/],
  ['{{}}', /says nothing/],
  ['{{if .A}}', /without {{end}}/],
  ['{{if .A}}{{else}}', /without {{end}}/],
  ['{{end}}', /without a beginning/],
  ['{{a | }}', /a value is missing/],
  ['{{(a}}', /\( without \)/],
  ['{{a)}}', /not understood/],
  ['{{%}}', /not understood/],
])('%s is no template', (template, reason) => {
  expect(() => parseTemplate(template)).toThrow(reason);
});
