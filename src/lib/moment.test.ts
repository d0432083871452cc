import assert from 'node:assert/strict';
import { test } from 'node:test';
import { humanDuration } from './human-duration.ts';
import { parseGoDuration, parseMoment } from './moment.ts';
import { nowNano } from './time.ts';

test('parseGoDuration reads every unit and nothing else', () => {
  assert.equal(parseGoDuration('1h30m'), 5_400_000_000_000n);
  assert.equal(parseGoDuration('1.5s'), 1_500_000_000n);
  assert.equal(parseGoDuration('-2ms'), -2_000_000n);
  for (const bad of ['', '5', '5d', 's', '1h x']) assert.equal(parseGoDuration(bad), undefined, bad);
});

test('parseMoment reads Unix times, RFC 3339, dates and spans back from now', () => {
  assert.equal(parseMoment('1700000000.5'), 1_700_000_000_500_000_000n);
  assert.equal(parseMoment('2024-01-01T00:00:00.25Z'), 1_704_067_200_250_000_000n);
  assert.equal(parseMoment('2024-01-01'), BigInt(Date.parse('2024-01-01T00:00:00')) * 1_000_000n);
  const tenMinutesAgo = parseMoment('10m') ?? 0n;
  const ago = nowNano() - tenMinutesAgo;
  assert.ok(ago >= 600_000_000_000n && ago < 660_000_000_000n, String(ago));
  assert.equal(parseMoment('yesterday'), undefined);
});

test('humanDuration uses the words of go-units at every step', () => {
  const cases: [number, string][] = [
    [0.5, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [119, 'About a minute'],
    [120, '2 minutes'],
    [3540, '59 minutes'],
    [3600, 'About an hour'],
    [5400, '2 hours'],
    [47 * 3600, '47 hours'],
    [48 * 3600, '2 days'],
    [14 * 86400, '2 weeks'],
    [60 * 86400, '2 months'],
    [730 * 86400, '2 years'],
  ];
  for (const [seconds, words] of cases) assert.equal(humanDuration(seconds), words, String(seconds));
});
