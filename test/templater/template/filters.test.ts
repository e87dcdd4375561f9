import { describe, expect, test } from '@jest/globals';
import { FILTERS } from '../../../templater/template/filters/table.ts';
import { rendered } from './rendered.ts';

const ROWS: Readonly<Record<string, readonly (readonly [template: string, text: string])[]>> = {
  toLower: [['{{ "GRÜN İΣ" | toLower }}', 'grün iσ']],
  toUpper: [['{{ "grün straße ﬁ" | toUpper }}', 'GRÜN STRAßE ﬁ']],
  toTitle: [['{{ "über a-b c_d NASA o\'neil a.b 3rd ßa" | toTitle }}', "Über A-B C_d NASA O'neil A.b 3Rd Ssa"]],
  trim: [
    ['[{{ "!!hello!?!" | trim("!?") }}]', '[hello]'],
    ['[{{ "  x " | trim }}]', '[x]'],
  ],
  trimPrefix: [['{{ "aab" | trimPrefix("a") }}', 'ab']],
  trimSuffix: [
    ['{{ "abb" | trimSuffix("b") }}', 'ab'],
    ['{{ "abb" | trimSuffix("") }}', 'abb'],
  ],
  trimSpace: [['[{{ "\\t x\\n" | trimSpace }}]', '[x]']],
  replaceAll: [
    ['{{ "aaaa" | replaceAll("aa", "$&") }}', '$&$&'],
    ['{{ "ab" | replaceAll("", "-") }}', '-a-b-'],
  ],
  split: [
    ['{{ "a,b" | split(",") | length }}', '2'],
    ['{{ "" | split(",") | length }}', '0'],
  ],
  splitToMap: [['{% for k, v in "b:2,a:1:x,c" | splitToMap(",", ":") %}{{ k }}={{ v }};{% endfor %}', 'a=1:x;b=2;']],
  indent: [
    ['{{ "a\\n\\nb" | indent(2, true) }}', '  a\n\n  b'],
    ['{{ "a\\nb" | indent(2) }}', 'a\n  b'],
  ],
  format: [
    ['{{ "%s-%03d|%5.2f|%x|%q|%-3s|%t|100%%" | format("a", 7, 1.234, 255, "b", "c", true) }}', 'a-007| 1.23|ff|"b"|c  |true|100%'],
    ['{{ "%+d %5d" | format(3, -4) }}', '+3    -4'],
  ],
  hostPort: [
    ['{{ "::1" | hostPort(80) }} {{ "10.0.0.1" | hostPort(80) }}', '[::1]:80 10.0.0.1:80'],
    ['{{ { address: "fe80::1", port: 443 } | hostPort }}', '[fe80::1]:443'],
  ],
  regexMatch: [['{{ "WEB" | regexMatch("(?i)^we") }} {{ "x" | regexMatch("y") }}', 'true false']],
  regexReplaceAll: [['{{ "a1b2" | regexReplaceAll("([a-z])(\\\\d)", "$2$1$$") }}', '1a$2b$']],
  byTag: [['{% for t, l in [{tags: ["b", "a"]}, {tags: ["a"]}] | byTag %}{{ t }}{{ l | length }} {% endfor %}', 'a2 b1 ']],
  byPort: [['{% for p, l in [{port: 8080}, {port: 443}, {port: 8080}] | byPort %}{{ p }}:{{ l | length }} {% endfor %}', '443:1 8080:2 ']],
  byMeta: [
    [
      '{% for k, l in [{ meta: { v: "1.0", n: "7" } }, { meta: {} }] | byMeta("v,n|int") %}{{ k }}:{{ l | length }} {% endfor %}',
      '1_0_00007:1 _no_v__00000:1 ',
    ],
  ],
  withTag: [['{{ [{tags: ["a"], id: 1}, {tags: ["b"], id: 2}] | withTag("b") | toJSON }}', '[{"id":2,"tags":["b"]}]']],
  contains: [['{{ ["a"] | contains("a") }} {{ "abc" | contains("bc") }} {{ ["a"] | contains("b") }}', 'true true false']],
  containsAll: [['{{ ["a", "b"] | containsAll(["a", "b"]) }} {{ ["a"] | containsAll(["a", "b"]) }}', 'true false']],
  containsAny: [['{{ ["a"] | containsAny(["a", "b"]) }} {{ ["c"] | containsAny(["a", "b"]) }}', 'true false']],
  containsNone: [['{{ ["c"] | containsNone(["a", "b"]) }} {{ ["a"] | containsNone(["a", "b"]) }}', 'true false']],
  containsNotAll: [['{{ ["a"] | containsNotAll(["a", "b"]) }} {{ ["a", "b"] | containsNotAll(["a", "b"]) }}', 'true false']],
  byKey: [
    [
      '{% for top, l in [{key: "b/x", value: "1"}, {key: "a/y/z", value: "2"}, {key: "alone", value: "3"}] | byKey %}{{ top }}:{% for k, p in l %}{{ k }}={{ p.value }}{{ p.key }} {% endfor %}{% endfor %}',
      'a:y/z=2y/z b:x=1x ',
    ],
  ],
  explode: [['{{ [{key: "a/b", value: "1"}, {key: "c", value: "2"}] | explode | toJSON }}', '{"a":{"b":"1"},"c":"2"}']],
  explodeMap: [['{{ { "a/b": 1, "a/c": 2 } | explodeMap | toJSON }}', '{"a":{"b":1,"c":2}}']],
  mergeMap: [['{{ { a: 1, b: { c: 1 }, e: 5 } | mergeMap({ a: 2, b: { d: 2 }, e: "" }) | toJSON }}', '{"a":2,"b":{"c":1,"d":2},"e":5}']],
  mergeMapWithOverride: [['{{ { a: 1, b: "" } | mergeMapWithOverride({ a: 2, b: 3 }) | toJSON }}', '{"a":1,"b":""}']],
  add: [['{{ 2 | add("3") }}', '5']],
  subtract: [['{{ 2 | subtract(5) }}', '-3']],
  multiply: [['{{ 1.5 | multiply(3) }}', '4.5']],
  divide: [['{{ 7 | divide(2) }} {{ -7 | divide(2) }} {{ 7.5 | divide(2) }} {{ 0.5 | divide(100000) }}', '3 -3 3.75 5e-06']],
  modulo: [['{{ -7 | modulo(3) }}', '-1']],
  minimum: [['{{ 3 | minimum(2) }}', '2']],
  maximum: [['{{ 3 | maximum(2) }}', '3']],
  parseBool: [['{{ "T" | parseBool }} {{ "0" | parseBool }} {{ "" | parseBool }}', 'true false false']],
  parseFloat: [['{{ "1e3" | parseFloat }} {{ "" | parseFloat }}', '1000 0']],
  parseInt: [['{{ ("-7" | parseInt) + 1 }} {{ "" | parseInt }}', '-6 0']],
  parseUint: [['{{ ("7" | parseUint) + 1 }}', '8']],
  base64Encode: [['{{ "ä?>" | base64Encode }}', 'w6Q/Pg==']],
  base64Decode: [['{{ "w6Q/Pg==" | base64Decode }}', 'ä?>']],
  base64URLEncode: [['{{ "ä?>" | base64URLEncode }}', 'w6Q_Pg==']],
  base64URLDecode: [['{{ "w6Q_Pg==" | base64URLDecode }}', 'ä?>']],
  md5sum: [['{{ "a" | md5sum }}', '0cc175b9c0f1b6a831c399e269772661']],
  sha256Hex: [['{{ "a" | sha256Hex }}', 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb']],
  hmacSHA256Hex: [['{{ "somemessage" | hmacSHA256Hex("somekey") | length }}', '64']],
  parseJSON: [['{{ (\'{"a":{"b":[1,2]}}\' | parseJSON).a.b[1] }} {{ "" | parseJSON | toJSON }}', '2 {}']],
  parseYAML: [['{{ ("a: {b: yes}" | parseYAML).a.b }}', 'true']],
  toJSON: [['{{ { b: "<&>", "10": 1, "9": [] } | toJSON }}', '{"10":1,"9":[],"b":"\\u003c\\u0026\\u003e"}']],
  toJSONPretty: [['{{ { a: [1], b: {} } | toJSONPretty }}', '{\n  "a": [\n    1\n  ],\n  "b": {}\n}']],
  toUnescapedJSON: [['{{ { b: "<" } | toUnescapedJSON }}', '{"b":"<"}']],
  toUnescapedJSONPretty: [['{{ { b: "<" } | toUnescapedJSONPretty }}', '{\n  "b": "<"\n}']],
  toYAML: [
    [
      '{{ { a10: " x\ny", a2: "<<", "10": 1, "9": 1234567.8, B: "z" } | toYAML }}',
      '"9": 1.2345678e+06\n"10": 1\nB: z\na2: <<\na10: |2-\n   x\n  y',
    ],
    ['{{ { b: ["x", { c: 1 }], a: "1", e: "" } | toYAML }}', 'a: "1"\nb:\n- x\n- c: 1\ne: ""'],
  ],
  toTOML: [
    ['{{ { b: true, a: 1, c: { d: "x" } } | toTOML }}', 'a = 1\nb = true\n\n[c]\n  d = "x"'],
    ['{{ { a: { b: { c: [1.5, "x"] } } } | toTOML }}', '[a]\n  [a.b]\n    c = [1.5, "x"]'],
    [
      '{{ { l: [{ b: 1, c: { d: none } }, {}], "q r": [[1], [{ x: 2 }]] } | toTOML }}',
      '"q r" = [[1], [{x = 2}]]\n\n[[l]]\n  b = 1\n  [l.c]\n\n[[l]]',
    ],
    ['{{ { a: 0.0000001, b: -1.5 } | toTOML }}', 'a = 0.0000001\nb = -1.5'],
  ],
};

test('every filter has its rows', () => {
  expect(Object.keys(ROWS).sort()).toEqual(Object.keys(FILTERS).sort());
});

describe.each(Object.entries(ROWS))('%s', (_, rows) => {
  test.each(rows)('%s', (template, text) => {
    expect(rendered(template)).toBe(text);
  });
});

test.each([
  ['{{ "not base64!" | base64Decode }}', 'base64Decode: no base64: 11 characters, wrong at 4'],
  ['{{ "12x" | parseInt }}', 'parseInt: no whole number: "12x"'],
  ['{{ "9007199254740993" | parseInt }}', 'too large'],
  ['{{ "-1" | parseUint }}', 'parseUint: no whole number: "-1"'],
  ['{{ "maybe" | parseBool }}', 'parseBool: must be true or false, got "maybe"'],
  ['{{ "1,5" | parseFloat }}', 'parseFloat: no number: "1,5"'],
  ['{{ "YQ" | base64Decode }}', 'no base64: 2 characters, without the = at their end'],
  ['{{ "{" | parseJSON }}', 'parseJSON:'],
  ['{{ "hush" | parseJSON }}', 'parseJSON: Unexpected token here: this is no JSON'],
  ['{{ 1 | divide(0) }}', 'divide: by 0'],
  ['{{ "x" | add(1) }}', 'add: needs a number, got "x"'],
  ['{{ [1] | byTag }}', 'byTag: needs a list of services or instances, got 1'],
  ['{{ [{ meta: { n: "x" } }] | byMeta("n|int") }}', 'n is no whole number: "x"'],
  ['{{ [{key: "a", value: "1"}, {key: "a/b", value: "2"}] | explode }}', '"a" already has value "1"'],
  ['{{ nothing | toTOML }}', 'toTOML: needs a value'],
  ['{{ "%z" | format(1) }}', 'unknown verb %z'],
  ['{{ "%s %s" | format(1) }}', 'no value for %s'],
  ['{{ "a" | regexMatch("(?=a)") }}', 'regular expression "(?=a)"'],
  ['{{ "a" | toLowr }}', 'did you mean toLower?'],
])('%s says what is wrong', (template, words) => {
  expect(() => rendered(template)).toThrow(words);
});

test.each([
  '{{ "hush hush" | parseJSON }}',
  '{{ "hush\\nhush" | parseJSON }}',
  '{{ "{x hush" | parseJSON }}',
  '{{ "hush: [hush" | parseYAML }}',
  '{{ "hush hush!" | base64Decode }}',
])('%s says what is wrong without the text, which may be a secret', (template) => {
  const message = failureOf(template);

  expect(message).toMatch(/parseJSON|parseYAML|base64Decode/);
  expect(message).not.toContain('hush');
  expect(message).toMatch(/here|position \d|line 1, column|wrong at/);
});

function failureOf(template: string): string {
  try {
    return rendered(template);
  } catch (error) {
    return String(error);
  }
}
