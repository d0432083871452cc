import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executeTemplate, parseGoJson, parseTemplate, standardFunctions } from '#templates';
import { asGoStruct } from './typed.ts';

test('asGoStruct fills in zero values, prints structs without names and leaves empty members out of JSON', () => {
  const value = asGoStruct(
    parseGoJson('{"Id":"x","State":{"Status":"created","Pid":0},"Config":{"Labels":null,"Env":["A=1"]}}'),
    'container.InspectResponse',
  );
  const show = (source: string): string =>
    executeTemplate(parseTemplate(source, new Set(standardFunctions.keys())), value, { functions: standardFunctions });
  assert.equal(show('{{.ID}} {{if .State.Health}}h{{else}}n{{end}}'), 'x n');
  assert.equal(show('{{.State}}'), '{created false false false false false 0 0    <nil>}');
  assert.equal(show('{{.Config.Env}} {{.Config.Labels}} {{json .Config.Labels}}'), '[A=1] map[] null');
  assert.equal(show('{{index .Config.Labels "a"}}|{{.Config.Labels.a}}'), '|<no value>');
  assert.match(show('{{json .State}}'), /^\{"Status":"created","Running":false,.*"FinishedAt":""\}$/);
});
