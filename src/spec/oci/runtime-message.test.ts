import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runtimeMessage } from './runtime-message.ts';

test('runtimeMessage unwraps what runtimes print', () => {
  assert.equal(runtimeMessage('2026-01-01T00:00:00.123Z: open `x`: No such file\n\n'), 'open `x`: No such file');
  assert.equal(
    runtimeMessage('time="t" level=warning msg="w"\ntime="t" level=error msg="exec: \\"a\\": no"\n'),
    'exec: "a": no',
  );
  assert.equal(runtimeMessage('level=error msg=plain'), 'plain');
  assert.equal(runtimeMessage(''), '');
});
