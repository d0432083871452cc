import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachKeyScanner, parseDetachKeys } from './detach-keys.ts';

test('parseDetachKeys knows letters, control keys and DEL', () => {
  assert.deepEqual([...parseDetachKeys('')], [16, 17]);
  assert.deepEqual([...parseDetachKeys('ctrl-a,x,DEL,ctrl-@,ctrl-_,ctrl-[')], [1, 120, 127, 0, 31, 27]);
});

test('parseDetachKeys refuses unknown keys with Docker’s words', () => {
  assert.throws(() => parseDetachKeys('ctrl-A'), {
    message: "invalid detach keys (ctrl-A): Unknown character: 'ctrl-A'",
  });
  assert.throws(() => parseDetachKeys('a,,b'), { message: "invalid detach keys (a,,b): Unknown character: ''" });
});

function feed(scanner: DetachKeyScanner, chunks: readonly string[]): { sent: string; detached: boolean } {
  let sent = '';
  for (const chunk of chunks) {
    const { bytes, detached } = scanner.scan(Buffer.from(chunk, 'latin1'));
    sent += Buffer.from(bytes).toString('latin1');
    if (detached) return { sent, detached };
  }
  return { sent, detached: false };
}

test('DetachKeyScanner finds the sequence however it is split', () => {
  const keys = parseDetachKeys('ctrl-p,ctrl-q');
  assert.deepEqual(feed(new DetachKeyScanner(keys), ['ab\x10\x11cd']), { sent: 'ab', detached: true });
  assert.deepEqual(feed(new DetachKeyScanner(keys), ['ab\x10', '\x11']), { sent: 'ab', detached: true });
});

test('DetachKeyScanner sends on a beginning that leads nowhere', () => {
  const keys = parseDetachKeys('ctrl-p,ctrl-q');
  assert.deepEqual(feed(new DetachKeyScanner(keys), ['\x10', 'x']), { sent: '\x10x', detached: false });
  assert.deepEqual(feed(new DetachKeyScanner(keys), ['\x10\x10\x11']), { sent: '\x10', detached: true });
});
