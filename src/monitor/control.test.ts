import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reopenLogsMessage, resizeMessage } from './control.ts';

test('control messages are lines of three numbers, within what conmon takes', () => {
  assert.equal(resizeMessage({ height: 40, width: 120 }), '1 40 120\n');
  assert.equal(resizeMessage({ height: -1, width: 5000 }), '1 0 1000\n');
  assert.equal(reopenLogsMessage, '2 0 0\n');
});
