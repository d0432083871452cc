import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyContainerConfig, type HealthConfig, type HealthState } from '#spec';
import { healthAfter, healthAtStart, probeCommand, probeDelayMs } from './health.ts';
import { ProbeOutput } from './probe-output.ts';

const second = 1_000_000_000;

function commandOf(Test: string[], Shell?: string[]): string[] | undefined {
  return probeCommand({ ...emptyContainerConfig(), Healthcheck: { Test }, ...(Shell ? { Shell } : {}) });
}

function run(health: HealthConfig, results: [atSeconds: number, exitCode: number][]): HealthState {
  let state: HealthState = { Status: 'starting', FailingStreak: 0, Log: [] };
  for (const [at, ExitCode] of results) {
    const Start = new Date(at * 1000).toISOString();
    state = healthAfter(state, { Start, End: Start, ExitCode, Output: '' }, health, 0);
  }
  return state;
}

test('probeCommand knows CMD and CMD-SHELL with the own shell', () => {
  assert.deepEqual(commandOf(['CMD', 'a', 'b']), ['a', 'b']);
  assert.deepEqual(commandOf(['CMD-SHELL', 'a b']), ['/bin/sh', '-c', 'a b']);
  assert.deepEqual(commandOf(['CMD-SHELL', 'a b'], ['/bin/bash', '-ec']), ['/bin/bash', '-ec', 'a b']);
  for (const none of [['NONE'], [], ['CMD'], ['OTHER', 'a']]) assert.equal(commandOf(none), undefined);
});

test('probes come at the interval, 30 s unless told', () => {
  const at = { startedAtMs: 0, status: 'starting' as const, fromMs: 0 };
  assert.equal(probeDelayMs({}, at), 30_000);
  assert.equal(probeDelayMs({ Interval: second / 2 }, at), 500);
  assert.equal(probeDelayMs({ Interval: second, StartPeriod: 20 * second }, { ...at, fromMs: 20_000 }), 1000);
});

test('in the start period the start interval holds until the first success, and not beyond the period', () => {
  const health = { Interval: 60 * second, StartPeriod: 12 * second };
  const at = { startedAtMs: 0, status: 'starting' as const, fromMs: 0 };
  assert.equal(probeDelayMs(health, at), 5000);
  assert.equal(probeDelayMs({ ...health, StartInterval: second }, at), 1000);
  assert.equal(probeDelayMs(health, { ...at, fromMs: 10_000 }), 2000);
  assert.equal(probeDelayMs(health, { ...at, status: 'healthy' }), 60_000);
});

test('a start interval without a start period is followed up to the first regular probe', () => {
  const health = { Interval: 30 * second, StartInterval: 2 * second, Retries: 1 };
  const at = { startedAtMs: 0, status: 'starting' as const, fromMs: 0 };
  assert.equal(probeDelayMs(health, at), 2000);
  assert.equal(probeDelayMs(health, { ...at, fromMs: 29_000 }), 1000);
  assert.equal(probeDelayMs(health, { ...at, fromMs: 30_000 }), 30_000);
  assert.equal(
    run(health, [
      [2, 1],
      [4, 1],
    ]).Status,
    'starting',
  );
  assert.equal(run(health, [[30, 1]]).Status, 'unhealthy');
});

test('three failures in a row, or the given number, make unhealthy; one success heals', () => {
  assert.equal(
    run({}, [
      [1, 1],
      [2, 2],
    ]).Status,
    'starting',
  );
  assert.equal(
    run({}, [
      [1, 1],
      [2, 2],
      [3, -1],
    ]).Status,
    'unhealthy',
  );
  assert.equal(
    run({}, [
      [1, 1],
      [2, 0],
      [3, 1],
      [4, 1],
    ]).Status,
    'healthy',
  );
  assert.equal(
    run({}, [
      [1, 1],
      [2, 0],
      [3, 1],
      [4, 1],
    ]).FailingStreak,
    2,
  );
  assert.equal(
    run({ Retries: 1 }, [
      [1, 0],
      [2, 1],
    ]).Status,
    'unhealthy',
  );
  assert.equal(
    run({}, [
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 0],
    ]).Status,
    'healthy',
  );
});

test('failures in the start period do not count until there was a success', () => {
  const health = { StartPeriod: 10 * second, Retries: 2 };
  assert.equal(
    run(health, [
      [1, 1],
      [2, 1],
      [9, 1],
    ]).FailingStreak,
    0,
  );
  assert.equal(
    run(health, [
      [1, 1],
      [9, 1],
      [11, 1],
    ]).FailingStreak,
    1,
  );
  assert.equal(
    run(health, [
      [1, 0],
      [2, 1],
      [3, 1],
    ]).Status,
    'unhealthy',
  );
});

test('the last five results are kept, also into the next run', () => {
  const state = run(
    {},
    [1, 2, 3, 4, 5, 6, 7].map((at) => [at, at]),
  );
  assert.deepEqual(
    state.Log.map(({ ExitCode }) => ExitCode),
    [3, 4, 5, 6, 7],
  );
  const config = { ...emptyContainerConfig(), Healthcheck: { Test: ['CMD', 'x'] } };
  assert.deepEqual(healthAtStart(config, state), { Status: 'starting', FailingStreak: 0, Log: state.Log });
  assert.equal(healthAtStart(emptyContainerConfig(), undefined), undefined);
});

test('ProbeOutput keeps 4096 bytes and says that there was more', () => {
  const whole = new ProbeOutput();
  whole.write('x'.repeat(4096));
  assert.equal(whole.text().length, 4096);
  const cut = new ProbeOutput();
  cut.write('x'.repeat(4000));
  cut.write('y'.repeat(200));
  assert.equal(cut.text(), `${'x'.repeat(4000)}${'y'.repeat(96)}...`);
});
