import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatGoDuration } from './go-duration.ts';

test('formatGoDuration prints as Go does', () => {
  const cases: [bigint, string][] = [
    [0n, '0s'],
    [7n, '7ns'],
    [1500n, '1.5µs'],
    [200_000_000n, '200ms'],
    [1_000_000_000n, '1s'],
    [1_500_000_000n, '1.5s'],
    [90_000_000_000n, '1m30s'],
    [3_600_000_000_000n, '1h0m0s'],
    [-2_000_000n, '-2ms'],
  ];
  for (const [nano, text] of cases) assert.equal(formatGoDuration(nano), text);
});
