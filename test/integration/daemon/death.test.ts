import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import { useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until, within } from '../../helpers/until.ts';

const engine = useEngine();

/** Prints 1 to `lines`, one each 20 ms, then exits. */
const counting = (lines: number, exitCode: number): string =>
  `n=0; while [ $n -lt ${lines} ]; do n=$((n+1)); echo $n; usleep 20000; done; exit ${exitCode}`;

interface Subject {
  readonly id: string;
  readonly lines: number;
  readonly exitCode: number;
  readonly pid: number;
  readonly startedAt: string;
}

/** Each ends at a time of its own: some before the kill, some while the daemon is dead, some after. */
async function startTwenty(t: TestContext): Promise<Subject[]> {
  return await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const lines = 20 + index * 30;
      const exitCode = index + 1;
      const id = await engine.run(t, counting(lines, exitCode), {
        HostConfig: { NetworkMode: index % 4 === 0 ? 'none' : 'bridge' },
      });
      const { State } = await engine.inspect(id);
      return { id, lines, exitCode, pid: State.Pid, startedAt: State.StartedAt };
    }),
  );
}

const isAlive = (pid: number): boolean => pid > 0 && existsSync(`/proc/${pid}`);

describe("the daemon's death", berthOnly, () => {
  test('kill -9 while 20 containers print and exit is a non-event', async (t) => {
    const subjects = await startTwenty(t);
    const killedAt = Date.now();
    await engine.daemon.kill9();
    const alive = subjects.filter(({ pid }) => isAlive(pid));
    assert.ok(alive.length >= 10, `${alive.length} containers run on`);
    await until(() => alive.filter(({ pid }) => isAlive(pid)).length <= alive.length - 5, {
      what: 'five exits without a daemon',
    });
    const aliveAgain = new Set(subjects.filter(({ pid }) => isAlive(pid)).map(({ id }) => id));
    const launchedAt = Date.now();
    await engine.daemon.launch();
    for (const { id, startedAt } of subjects) {
      const { State } = await engine.inspect(id);
      assert.equal(State.StartedAt, startedAt);
      if (State.Running) continue;
      const finishedAt = Date.parse(State.FinishedAt);
      const late = !aliveAgain.has(id) && finishedAt > launchedAt + 50;
      assert.ok(
        !late,
        `${id} finished at ${State.FinishedAt}, while no daemon ran (until ${new Date(launchedAt).toISOString()})`,
      );
      if (alive.some((subject) => subject.id === id)) assert.ok(finishedAt >= killedAt - 50);
    }
    const codes = await Promise.all(subjects.map(async ({ id }) => await engine.wait(id, undefined, 60_000)));
    assert.deepEqual(
      codes,
      subjects.map(({ exitCode }) => exitCode),
    );
    for (const { id, lines, exitCode } of subjects) {
      const printed = (await engine.logs(id)).stdout.trimEnd().split('\n').map(Number);
      assert.deepEqual(
        printed,
        Array.from({ length: lines }, (_, index) => index + 1),
        `log of the one with exit code ${exitCode}`,
      );
      const { State } = await engine.inspect(id);
      assert.equal(State.Status, 'exited');
      assert.equal(State.ExitCode, exitCode);
    }
  });

  test('an adopted container is waited for, attached to, executed in, paused and stopped', async (t) => {
    const script = 'trap "echo bye; exit 21" TERM; read line; echo "got $line"; while :; do sleep 3600 & wait $!; done';
    const id = await engine.run(t, script, { OpenStdin: true });
    const { Pid } = (await engine.inspect(id)).State;
    await engine.daemon.kill9();
    await engine.daemon.launch();
    assert.equal((await engine.inspect(id)).State.Pid, Pid);
    assert.equal((await engine.exec(id, 'echo inside')).stdout, 'inside\n');
    const stream = await engine.attach(id, { stream: true, stdin: true, stdout: true });
    await stream.write('after\n');
    await until(async () => (await engine.logs(id)).stdout === 'got after\n', { what: 'the answer' });
    stream.destroy();
    await engine.client.post(`/containers/${id}/pause`);
    await engine.client.post(`/containers/${id}/unpause`);
    const waiting = engine.wait(id);
    await engine.client.post(`/containers/${id}/stop`);
    assert.equal(await within(waiting, 'the wait'), 21);
    await engine.start(id);
    assert.equal(await engine.status(id), 'running');
  });

  test('logs of an adopted container are followed on', async (t) => {
    const id = await engine.run(t, counting(150, 0));
    await engine.daemon.kill9();
    await engine.daemon.launch();
    const { stdout } = await engine.logs(id, { follow: true });
    assert.equal(stdout.trimEnd().split('\n').length, 150);
  });

  test('what ended meanwhile with --rm is removed at the next start', async (t) => {
    const id = await engine.run(t, 'usleep 300000', { HostConfig: { AutoRemove: true }, Volumes: { '/data': {} } });
    const { Pid } = (await engine.inspect(id)).State;
    await engine.daemon.kill9();
    await until(() => !isAlive(Pid), { what: "the container's end" });
    await engine.daemon.launch();
    await until(
      async () =>
        (await engine.client.get<unknown[]>('/containers/json', { all: true, filters: JSON.stringify({ id: [id] }) }))
          .length === 0,
      { what: 'the removal' },
    );
  });

  test('a restart policy is carried out for what ended meanwhile', async (t) => {
    const id = await engine.run(t, 'sleep 1; exit 1', {
      HostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } },
    });
    const { Pid } = (await engine.inspect(id)).State;
    await engine.daemon.kill9();
    await until(() => !isAlive(Pid), { what: "the container's end" });
    await engine.daemon.launch();
    await until(
      async () => (await engine.inspect(id)).State.StartedAt !== '' && (await engine.inspect(id)).State.Pid > 0,
      { what: 'the restart' },
    );
    assert.notEqual((await engine.inspect(id)).State.Pid, Pid);
  });

  test('containers run on through an orderly restart too', async (t) => {
    const id = await engine.runIdle(t);
    const { Pid, StartedAt } = (await engine.inspect(id)).State;
    await engine.daemon.restart();
    const { State } = await engine.inspect(id);
    assert.equal(State.Pid, Pid);
    assert.equal(State.StartedAt, StartedAt);
    assert.equal(State.Status, 'running');
  });

  test('networking of adopted containers goes on, and new ones get other addresses', async (t) => {
    const first = await engine.runIdle(t);
    const { IPAddress } = (await engine.inspect(first)).NetworkSettings;
    await engine.daemon.kill9();
    await engine.daemon.launch();
    assert.equal((await engine.inspect(first)).NetworkSettings.IPAddress, IPAddress);
    const second = await engine.runIdle(t);
    assert.notEqual((await engine.inspect(second)).NetworkSettings.IPAddress, IPAddress);
    const { exitCode, stdout, stderr } = await engine.exec(second, `ping -c 1 -W 5 ${IPAddress}`);
    assert.equal(exitCode, 0, stdout + stderr);
  });

  test('kills in quick succession, also during the start itself, do no harm', async (t) => {
    const id = await engine.run(t, counting(400, 17));
    for (let round = 0; round < 3; round++) {
      await engine.daemon.kill9();
      const half = engine.daemon.spawn();
      await until(() => engine.daemon.log().includes('level=') || half.exitCode !== null, {
        what: 'a first line of the log',
      });
      await engine.daemon.kill9();
      await engine.daemon.launch();
    }
    assert.equal(await engine.wait(id), 17);
    assert.equal((await engine.logs(id)).stdout.trimEnd().split('\n').length, 400);
  });
});
