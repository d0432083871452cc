import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { ContainerSummary, HealthConfig, HealthState } from '#spec';
import { encodeFilters } from '#client';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

const ms = 1_000_000;
const second = 1000 * ms;

const shell = (script: string, own: HealthConfig = {}): { Healthcheck: HealthConfig } => ({
  Healthcheck: { Test: ['CMD-SHELL', script], Interval: 200 * ms, ...own },
});

async function health(id: string): Promise<HealthState> {
  const { Health } = (await engine.inspect(id)).State;
  assert.ok(Health, 'a Health in State');
  return Health;
}

async function reaches(id: string, status: HealthState['Status']): Promise<HealthState> {
  const reached = async (): Promise<HealthState | false> => {
    const now = await health(id);
    return now.Status === status && now;
  };
  return await until(reached, { what: `health ${status}` });
}

async function listed(id: string, filter: string): Promise<ContainerSummary | undefined> {
  const filters = encodeFilters({ health: [filter], id: [id] });
  return (await engine.client.get<ContainerSummary[]>('/containers/json', { filters }))[0];
}

/** Host processes whose command line holds `mark`. */
function processesWith(mark: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(mark);
    } catch {
      return false;
    }
  });
}

describe('health checks', { concurrency: 4 }, () => {
  test('starting, healthy, unhealthy, and healthy again, in inspect, list, filter and events', async (t) => {
    const id = await engine.runIdle(t, shell('cat /state; test "$(cat /state)" = good', { Retries: 2 }));
    const events = await engine.events(t, { container: [id] });
    assert.equal((await health(id)).Status, 'starting');
    assert.match((await listed(id, 'starting'))?.Status ?? '', /^Up .* \(health: starting\)$/);
    await engine.exec(id, 'printf good >/state');
    await events.action('health_status: healthy', id);
    const good = await health(id);
    assert.equal(good.Status, 'healthy');
    assert.equal(good.FailingStreak, 0);
    assert.equal(good.Log.at(-1)?.ExitCode, 0);
    assert.equal(good.Log.at(-1)?.Output, 'good');
    assert.match((await listed(id, 'healthy'))?.Status ?? '', /^Up .* \(healthy\)$/);
    assert.equal(await listed(id, 'unhealthy'), undefined);
    await engine.exec(id, 'printf bad >/state');
    await events.action('health_status: unhealthy', id);
    const bad = await health(id);
    assert.ok(bad.FailingStreak >= 2);
    assert.deepEqual([bad.Log.at(-1)?.ExitCode, bad.Log.at(-1)?.Output], [1, 'bad']);
    assert.ok(bad.Log.length <= 5);
    await engine.exec(id, 'printf good >/state');
    await reaches(id, 'healthy');
    const later = await engine.events(t, { container: [id], event: ['health_status'] });
    await engine.exec(id, 'printf bad >/state');
    await later.action('health_status: unhealthy', id);
  });

  test('a probe is an exec, told as such', async (t) => {
    const id = await engine.create(t, { Cmd: ['sleep', '3600'], ...shell('exit 3') });
    const events = await engine.events(t, { container: [id] });
    await engine.start(id);
    const died = await events.action('exec_die', id);
    assert.equal(died.Actor.Attributes['exitCode'], '3');
    assert.match(died.Actor.Attributes['execID'] ?? '', /^[0-9a-f]{64}$/);
    const actions = events.actions(id).filter((action) => action.startsWith('exec_'));
    assert.deepEqual(actions.slice(0, 3), [
      'exec_create: /bin/sh -c exit 3',
      'exec_start: /bin/sh -c exit 3',
      'exec_die',
    ]);
  });

  test('CMD runs without a shell, as user, in directory and environment of the container', async (t) => {
    const id = await engine.runIdle(t, {
      User: 'mail',
      WorkingDir: '/tmp',
      Env: ['A=b c'],
      Healthcheck: { Test: ['CMD', 'sh', '-c', 'id -un; pwd; echo $A; echo err >&2'], Interval: 100 * ms },
    });
    const { Log } = await reaches(id, 'healthy');
    assert.equal(Log[0]?.Output.split('\n').toSorted().join(' ').trim(), '/tmp b c err mail');
  });

  test('a program that is not there is unhealthy with -1 and its reason', async (t) => {
    const id = await engine.runIdle(t, {
      Healthcheck: { Test: ['CMD', 'nosuch'], Interval: 100 * ms, Retries: 1 },
    });
    const { Log } = await reaches(id, 'unhealthy');
    assert.equal(Log[0]?.ExitCode, -1);
    assert.match(Log[0]?.Output ?? '', /exec: "nosuch": executable file not found in \$PATH/);
  });

  test('long output is cut at 4096 bytes', async (t) => {
    const id = await engine.runIdle(t, shell('head -c 10000 /dev/zero | tr "\\0" x'));
    const { Log } = await reaches(id, 'healthy');
    assert.equal(Log[0]?.Output, `${'x'.repeat(4096)}...`);
  });

  test('a probe that takes too long is killed and counts as failure', async (t) => {
    const id = await engine.runIdle(
      t,
      shell('echo begun; exec sleep 4711', { Interval: 100 * ms, Timeout: 300 * ms, Retries: 1 }),
    );
    const { Log } = await reaches(id, 'unhealthy');
    assert.equal(Log[0]?.ExitCode, -1);
    assert.match(Log[0]?.Output ?? '', /^Health check exceeded timeout \(300ms\)/);
    await until(async () => (await health(id)).Log.length >= 3, { what: 'three probes' });
    const running = (await engine.exec(id, 'ps -o args | grep -c "^sleep 4711"')).stdout;
    assert.ok(Number(running) <= 1, `${running.trim()} probes at once`);
  });

  test('failures in the start period do not count', async (t) => {
    const id = await engine.runIdle(
      t,
      shell('exit 1', { StartPeriod: 3600 * second, StartInterval: 50 * ms, Retries: 1 }),
    );
    await until(async () => (await health(id)).Log.length >= 3, { what: 'three probes' });
    const { Status, FailingStreak } = await health(id);
    assert.deepEqual([Status, FailingStreak], ['starting', 0]);
  });

  test('a start interval makes healthy soon, with and without a start period', berthOnly, async (t) => {
    for (const StartPeriod of [0, 600 * second]) {
      const own = { StartPeriod, Interval: 600 * second, StartInterval: 100 * ms };
      const id = await engine.runIdle(t, shell('test -e /ready', own));
      await until(async () => (await health(id)).Log.length >= 2, { what: 'two probes' });
      assert.equal((await health(id)).FailingStreak, 0);
      await engine.exec(id, 'touch /ready');
      await reaches(id, 'healthy');
    }
  });

  test('paused there are no probes; resumed they go on', async (t) => {
    const id = await engine.runIdle(t, shell('true'));
    await reaches(id, 'healthy');
    await engine.client.post(`/containers/${id}/pause`);
    const paused = await health(id);
    assert.equal(paused.Status, 'unhealthy');
    assert.match(
      (await engine.client.get<ContainerSummary[]>('/containers/json', { filters: encodeFilters({ id: [id] }) }))[0]
        ?.Status ?? '',
      /\(Paused\)$/,
    );
    const events = await engine.events(t, { container: [id] });
    await engine.client.post(`/containers/${id}/unpause`);
    await events.action('health_status: healthy', id);
    assert.ok(events.actions(id).indexOf('unpause') < events.actions(id).indexOf('exec_create: /bin/sh -c true'));
  });

  test('ended it is not healthy; started anew it is starting and keeps its log', async (t) => {
    const id = await engine.runIdle(t, shell('echo $(hostname) ok', { Interval: 300 * ms }));
    const first = (await reaches(id, 'healthy')).Log[0];
    await engine.client.post(`/containers/${id}/stop`);
    assert.equal((await health(id)).Status, 'unhealthy');
    await engine.start(id);
    const again = await health(id);
    assert.equal(again.Status, 'starting');
    assert.equal(again.FailingStreak, 0);
    assert.deepEqual(again.Log[0], first);
    await reaches(id, 'healthy');
  });

  test('ended in the middle of a probe it ends at once', async (t) => {
    const id = await engine.runIdle(t, shell('echo on >/probing; sleep 3600', { Interval: 50 * ms }));
    await until(async () => (await engine.exec(id, 'cat /probing')).exitCode === 0, { what: 'a probe' });
    await engine.client.post(`/containers/${id}/stop`);
    assert.equal((await engine.inspect(id)).State.Status, 'exited');
  });

  test('without a check, or with NONE, there is no health', async (t) => {
    for (const body of [{}, { Healthcheck: { Test: ['NONE'] } }]) {
      const id = await engine.runIdle(t, body);
      assert.equal((await engine.inspect(id)).State.Health, undefined);
      assert.match((await listed(id, 'none'))?.Status ?? '', /^Up [^(]*$/);
    }
  });

  test("the image's check is inherited; what is given replaces its parts", async (t) => {
    const source = await engine.create(t);
    const repo = `berth-test/health-${source.slice(0, 8)}`;
    const changes = 'HEALTHCHECK --interval=100ms --retries=7 CMD echo from image';
    await engine.client.post('/commit', { container: source, repo, changes });
    t.after(async () => await engine.client.delete(`/images/${repo}`, { force: true }));
    const inherited = await engine.runIdle(t, { Image: repo });
    assert.equal((await reaches(inherited, 'healthy')).Log[0]?.Output, 'from image\n');
    const changed = await engine.create(t, { Image: repo, Healthcheck: { Retries: 2 } });
    const { Healthcheck } = (await engine.inspect(changed)).Config;
    assert.equal(Healthcheck?.Retries, 2);
    assert.equal(Healthcheck?.Interval, 100 * ms);
    assert.deepEqual(Healthcheck?.Test, ['CMD-SHELL', 'echo from image']);
    const off = await engine.runIdle(t, { Image: repo, Healthcheck: { Test: ['NONE'] } });
    assert.equal((await engine.inspect(off)).State.Health, undefined);
  });

  test('impossible values are refused', async (t) => {
    const cases: [HealthConfig, RegExp][] = [
      [{ Interval: 1 }, /Interval in Healthcheck cannot be less than 1ms/],
      [{ Timeout: -5 }, /Timeout in Healthcheck cannot be less than 1ms/],
      [{ StartPeriod: 999_999 }, /StartPeriod in Healthcheck cannot be less than 1ms/],
      [{ Retries: -1 }, /Retries in Healthcheck cannot be negative/],
    ];
    for (const [own, message] of cases) await refuses(engine.create(t, shell('true', own)), [400], message);
  });

  test('the command line shows it', async (t) => {
    const flags = ['--health-cmd', 'true', '--health-interval', '100ms'];
    const { stdout } = await engine.docker(['run', '-d', ...flags, 'berth-test/busybox', 'sleep', '3600']);
    const id = stdout.trim();
    engine.removeAfter(t, id);
    await reaches(id, 'healthy');
    const shown = await engine.docker(['ps', '--filter', 'health=healthy', '--format', '{{.ID}} {{.Status}}']);
    assert.match(shown.stdout, new RegExp(`^${id.slice(0, 12)} Up .* \\(healthy\\)$`, 'm'));
  });
});

describe("the daemon's death", berthOnly, () => {
  test('health goes on where it was, and a probe that was left is ended', async (t) => {
    const counting = await engine.runIdle(t, shell('echo x >>/count; exit 1', { Interval: 300 * ms, Retries: 1000 }));
    const mark = '314159265';
    const hanging = await engine.runIdle(t, shell(`exec sleep ${mark}`, { Interval: 50 * ms, Timeout: 3600 * second }));
    const steady = await engine.runIdle(
      t,
      shell('true', { Interval: 3600 * second, StartPeriod: 600 * second, StartInterval: 50 * ms }),
    );
    await reaches(steady, 'healthy');
    await until(() => processesWith(`sleep\0${mark}`).length > 0, { what: 'the hanging probe' });
    await until(async () => (await health(counting)).FailingStreak >= 2, { what: 'two failures' });
    await engine.daemon.kill9();
    const left = processesWith(`sleep\0${mark}`);
    assert.ok(left.length > 0, 'the probe outlives the daemon');
    await engine.daemon.launch();
    assert.equal((await health(steady)).Status, 'healthy');
    const before = await health(counting);
    assert.equal(before.Status, 'starting');
    assert.ok(before.FailingStreak >= 2);
    await until(async () => (await health(counting)).FailingStreak > before.FailingStreak, {
      what: 'one more failure',
    });
    await until(() => processesWith(`sleep\0${mark}`).every((pid) => !left.includes(pid)), { what: 'its end' });
    await engine.remove(hanging);
  });
});
