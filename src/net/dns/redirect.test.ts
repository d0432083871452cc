import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redirectChanges } from './redirect.ts';

test('redirectChanges leads both protocols there and back', () => {
  const changes = redirectChanges({ udp: 0x1234, tcp: 0x5678 });
  assert.deepEqual(
    changes.map(({ change }) => change),
    ['addTable', 'addChain', 'addRule', 'addRule', 'addRule', 'addRule'],
  );
  const loads = changes.flatMap((change) =>
    change.change === 'addRule'
      ? change.expressions.flatMap((one) => (one.op === 'load' ? [one.data.toString('hex')] : []))
      : [],
  );
  assert.deepEqual(loads, ['1234', '0035', '5678', '0035']);
});
