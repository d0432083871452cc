import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTimestamp } from './timestamp.ts';

test('parseTimestamp takes durations, times with zones and epochs', () => {
  const cases: Record<string, string> = {
    '10s': '990',
    '1m30s': '910',
    '1970-01-01T00:16:40Z': '1000.000000000',
    '1970-01-01T00:16:40.5Z': '1000.500000000',
    '1970-01-01T01:16:40.123456789+01:00': '1000.123456789',
    '1970-01-02Z': '86400.000000000',
    '1000': '1000',
    '1000.5': '1000.5',
    '0': '0',
  };
  for (const [text, expected] of Object.entries(cases))
    assert.equal(parseTimestamp('since', text, 1_000_000), expected);
});

test('parseTimestamp says what is wrong', () => {
  assert.throws(() => parseTimestamp('until', 'bogus', 0), {
    message: 'invalid value for "until": failed to parse value as time or duration: "bogus"',
  });
});
