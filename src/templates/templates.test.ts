import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executeTemplate, formatGoJson, GoMap, GoRow, parseGoJson, parseTemplate, standardFunctions } from './index.ts';

const row = new GoRow(
  '*formatter.ContainerContext',
  { ID: () => '15e01a8aa56f', Names: () => 'web-1', State: () => 'created', Platform: () => null },
  { Label: (name) => (name === 'a' ? 'b' : '') },
);

function render(source: string, data: unknown = row): string {
  const template = parseTemplate(source, new Set(standardFunctions.keys()));
  const value = data instanceof GoRow ? data : parseGoJson(JSON.stringify(data));
  return executeTemplate(template, value, { functions: standardFunctions });
}

// Every expectation below was seen with the Go CLI.
const rendered: readonly (readonly [string, string])[] = [
  ['{{.ID}}', '15e01a8aa56f'],
  ['{{/* comment */}}{{- .ID -}}  x', '15e01a8aa56fx'],
  ['a {{- "b" -}} c', 'abc'],
  ['{{.Label "a"}}|{{.Label "z"}}|', 'b||'],
  ['{{if eq .State "x" "created"}}A{{else if .ID}}B{{end}}', 'A'],
  ['{{if eq .State "x"}}A{{else if .ID}}B{{else}}C{{end}}', 'B'],
  ['{{range split .Names "-"}}<{{.}}>{{end}}', '<web><1>'],
  ['{{range $i, $c := split "a,b" ","}}{{$i}}={{$c}} {{end}}', '0=a 1=b '],
  ['{{range split "a,b,c" ","}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', 'ac'],
  ['{{range split "a,b,c" ","}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
  ['{{range 3}}{{.}}{{end}}', '012'],
  ['{{range split "" "x"}}{{else}}none{{end}}', ''],
  ['{{with $x := .Names}}{{$x | upper | printf "%-8s|"}}{{end}}', 'WEB-1   |'],
  ['{{$a := 1}}{{$a = 2}}{{$a}}', '2'],
  ['{{define "T"}}[{{.}}]{{end}}{{template "T" .ID}}', '[15e01a8aa56f]'],
  ['{{block "B" .Names}}<{{.}}>{{end}}', '<web-1>'],
  ['{{len .Names}} {{slice .ID 1 3}} {{index "abc" 1}}', '5 5e 98'],
  ['{{html "<a>"}} {{js "a=\\"b\\""}} {{urlquery "a b&c"}}', '&lt;a&gt; a\\u003D\\"b\\" a+b%26c'],
  ['{{print 1 2 "a" "b" 3}} {{println "x"}}', '1 2ab3 x\n'],
  ['{{title "hello world"}} {{pad "x" 2 2}}|{{pad "" 2 2}}|', 'Hello World   x  ||'],
  ['{{join (split "a,b" ",") "-"}} {{truncate "abcdef" 3}}', 'a-b abc'],
  ['{{printf "%5d|%-5s|%05d|%q|%v|%x|%t" 3 "a" 42 "x" "v" "hi" true}}', '    3|a    |00042|"x"|v|6869|true'],
  ['{{printf "%.2f %g %v" 1.5 1.5 2.0}}', '1.50 1.5 2'],
  [
    '{{printf "%d" "x"}} {{printf "%s" 1}} {{printf "%d"}} {{printf "x" 1}}',
    '%!d(string=x) %!s(int=1) %!d(MISSING) x%!(EXTRA int=1)',
  ],
  ['{{printf "%T %+v %#v %c" "s" 1 "q" 98}}', 'string 1 "q" b'],
  ['{{and .ID "" 3}}|{{or "" 0 "z"}}|{{not .ID}}', '|z|false'],
  ['{{lt 1 2}} {{gt "a" "b"}} {{le 2 2}} {{ge 1 2}} {{ne 1 2}}', 'true false true false true'],
  ['{{true}} {{3}} {{0x10}} {{"q"}} {{`r`}} {{1e3}} {{\'a\'}}', 'true 3 16 q r 1000 97'],
  ['{{json .Names}} {{json .Platform}} {{.Platform}}', '"web-1" null <nil>'],
  ['{{json .}}', '{"ID":"15e01a8aa56f","Names":"web-1","Platform":null,"State":"created"}'],
  ['{{(.ID)}}{{"a" | eq "a"}}', '15e01a8aa56ftrue'],
  ['{{ .ID | printf "%s-%s" .Names }}', 'web-1-15e01a8aa56f'],
  ['{{.ID | }}', '15e01a8aa56f'],
];

for (const [source, expected] of rendered) {
  test(`template ${source}`, () => assert.equal(render(source), expected));
}

const refused: readonly (readonly [string, string])[] = [
  ['{{.Foo}}', ':1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.ContainerContext'],
  ['{{.ID.X}}', ':1:5: executing "" at <.ID.X>: can\'t evaluate field X in type string'],
  ['{{(.ID).X}}', ':1:3: executing "" at <.ID>: can\'t evaluate field X in type string'],
  ['\n{{.Foo}}', ':2:3: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.ContainerContext'],
  ['{{.Label}}', ':1:2: executing "" at <.Label>: wrong number of args for Label: want 1 got 0'],
  ['{{truncate .ID}}', ':1:2: executing "" at <truncate>: wrong number of args for truncate: want 2 got 1'],
  ['{{truncate .ID "x"}}', ':1:15: executing "" at <"x">: expected integer; found "x"'],
  ['{{index .Names 9}}', ':1:2: executing "" at <index .Names 9>: error calling index: index out of range: 9'],
  ['{{eq 1 "a"}}', ':1:2: executing "" at <eq 1 "a">: error calling eq: incompatible types for comparison'],
  ['{{len 3}}', ':1:2: executing "" at <len 3>: error calling len: len of type int'],
  ['{{template "zz"}}', ':1:11: executing "" at <{{template "zz"}}>: template "zz" not defined'],
  ['{{nil}}', ':1:2: executing "" at <nil>: nil is not a command'],
  ['{{.Foo', ':1: unclosed action'],
  ['{{foo}}', ':1: function "foo" not defined'],
  ['{{.}', ":1: bad character U+007D '}'"],
  ['{{}}', ':1: missing value for command'],
  ['{{if}}', ':1: missing value for if'],
  ['{{# }}', ':1: unexpected "#" in command'],
  ['{{"abc', ':1: unterminated quoted string'],
  ['{{$x}}', ':1: undefined variable "$x"'],
  ['{{if .ID}}', ':1: unexpected EOF'],
  ['{{end}}', ':1: unexpected {{end}}'],
  ['{{break}}', ':1: {{break}} outside {{range}}'],
  ['{{1 | 2}}', ':1: non executable command in pipeline stage 2'],
  ['{{(.ID}}', ':1: unclosed left paren'],
];

for (const [source, message] of refused) {
  test(`template ${JSON.stringify(source)} is refused`, () => {
    assert.throws(() => render(source), { message: `template: ${message}` });
  });
}

test('templates over decoded JSON use maps: sorted keys, exact numbers, no value for missing keys', () => {
  const data = { b: 2, a: { z: [1, 'x', null] } };
  assert.equal(
    render('{{.}} {{.a.z}} {{.c}} {{.c.d}}', data),
    'map[a:map[z:[1 x <nil>]] b:2] [1 x <nil>] <no value> <no value>',
  );
  const big = parseGoJson('{"n":1795239245930449619,"f":1.50,"z":{"10":1,"9":2}}');
  assert.equal(formatGoJson(big), '{"n":1795239245930449619,"f":1.5,"z":{"10":1,"9":2}}');
});

test('missing keys of undecoded data are errors when asked for', () => {
  const template = parseTemplate('{{.State.Foo}}', new Set());
  const data = parseGoJson('{"State":{}}');
  assert.throws(
    () => executeTemplate(template, data, { functions: standardFunctions, missingKeyIsError: true, untyped: true }),
    { message: 'template: :1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"' },
  );
});

test('GoMap without entries is false, a struct always true', () => {
  const show = (data: GoMap): string =>
    executeTemplate(parseTemplate('{{if .}}y{{else}}n{{end}}', new Set()), data, { functions: standardFunctions });
  assert.equal(show(new GoMap(new Map())), 'n');
  assert.equal(show(new GoMap(new Map(), { structName: 'x' })), 'y');
});
