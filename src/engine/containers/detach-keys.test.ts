import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachFilter, parseDetachKeys } from './detach-keys.ts';

function feed(keys: string, chunks: string[]): { passed: string; detached: boolean } {
  let detached = false;
  const filter = new DetachFilter(parseDetachKeys(keys), () => (detached = true));
  for (const chunk of chunks) filter.write(chunk);
  filter.end();
  const passed = filter.read() as Buffer | null;
  return { passed: passed?.toString('latin1') ?? '', detached };
}

test('parseDetachKeys reads control and plain keys and refuses others', () => {
  assert.deepEqual([...parseDetachKeys('')], [16, 17]);
  assert.deepEqual([...parseDetachKeys('ctrl-a,x,ctrl-[')], [1, 120, 27]);
  assert.throws(() => parseDetachKeys('ctrl-ü'), /Invalid detach keys/);
  assert.throws(() => parseDetachKeys('abc'), /Invalid detach keys/);
});

test('DetachFilter recognises the sequence across chunks and passes everything else', () => {
  assert.deepEqual(feed('', ['ab\x10', '\x11rest']), { passed: 'ab', detached: true });
  assert.deepEqual(feed('', ['a\x10b']), { passed: 'a\x10b', detached: false });
  assert.deepEqual(feed('', ['\x10\x10', '\x11']), { passed: '\x10', detached: true });
  assert.deepEqual(feed('', ['a\x10']), { passed: 'a\x10', detached: false });
});
