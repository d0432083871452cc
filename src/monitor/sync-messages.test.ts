import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SyncMessage, SyncMessageParser } from './sync-messages.ts';

test('SyncMessageParser reads one message per line, fed one character at a time', () => {
  const parser = new SyncMessageParser();
  const messages: SyncMessage[] = [];
  const text = '{"data": 4711}\nnoise\n{"data": -1, "message": "exec: \\"foo\\": not found\\n"}\n{"da';
  for (const char of text) messages.push(...parser.push(char));
  assert.deepEqual(messages, [
    { data: 4711, message: undefined },
    { data: -1, message: 'exec: "foo": not found\n' },
  ]);
  assert.equal(parser.rest, '{"da');
});

test('SyncMessageParser copes with text that conmon left unescaped', () => {
  const [message] = new SyncMessageParser().push('{"data": -1, "message": "a\tb"}\n');
  assert.deepEqual(message, { data: -1, message: 'a\tb' });
});
