import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();
const never = '0001-01-01T00:00:00Z';
const missing = 'f'.repeat(64);

describe('container life cycle', { concurrency: 4 }, () => {
  test('create makes a container that has never run', async (t) => {
    const id = await engine.create(t, { Cmd: ['true'] });
    const { State, Name } = await engine.inspect(id);
    assert.equal(State.Status, 'created');
    assert.equal(State.Running, false);
    assert.equal(State.Pid, 0);
    assert.equal(State.ExitCode, 0);
    assert.equal(State.StartedAt, never);
    assert.equal(State.FinishedAt, never);
    assert.match(Name, /^\/[a-z]+_[a-z]+\d?$/);
  });

  test('start runs it, its end leaves the exit code and times', async (t) => {
    const id = await engine.run(t, 'sleep 0.3; exit 42');
    assert.equal(await engine.wait(id), 42);
    const { State } = await engine.inspect(id);
    assert.equal(State.Status, 'exited');
    assert.equal(State.ExitCode, 42);
    assert.equal(State.Pid, 0);
    assert.ok(Date.parse(State.FinishedAt) >= Date.parse(State.StartedAt));
    assert.match(State.StartedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  });

  test('start of a running container is 304, and stop of a stopped one', async (t) => {
    const id = await engine.runIdle(t);
    const start = await engine.client.send({ method: 'POST', path: `/containers/${id}/start` });
    assert.equal(start.status, 304);
    await start.discard();
    const stop = await engine.client.send({ method: 'POST', path: `/containers/${id}/stop` });
    assert.equal(stop.status, 204);
    await stop.discard();
    const again = await engine.client.send({ method: 'POST', path: `/containers/${id}/stop` });
    assert.equal(again.status, 304);
    await again.discard();
  });

  test('a stopped container starts again, with its files and a new run', async (t) => {
    const id = await engine.run(t, 'echo run >>/runs; cat /runs');
    await engine.wait(id);
    const first = await engine.inspect(id);
    await engine.start(id);
    await engine.wait(id);
    const second = await engine.inspect(id);
    assert.ok(second.State.StartedAt > first.State.StartedAt);
    assert.equal((await engine.logs(id)).stdout, 'run\nrun\nrun\n');
  });

  test('stop sends SIGTERM and takes the exit code of the process', async (t) => {
    const id = await engine.run(t, 'trap "exit 7" TERM; echo ready; while :; do sleep 3600 & wait $!; done');
    await until(async () => (await engine.logs(id)).stdout === 'ready\n', { what: 'ready' });
    await engine.client.post(`/containers/${id}/stop`);
    assert.equal((await engine.inspect(id)).State.ExitCode, 7);
  });

  test("stop sends the container's own signal", async (t) => {
    const script = 'trap "exit 3" USR1; echo ready; while :; do sleep 3600 & wait $!; done';
    const id = await engine.run(t, script, { Cmd: ['sh', '-c', script], StopSignal: 'SIGUSR1' });
    await until(async () => (await engine.logs(id)).stdout === 'ready\n', { what: 'ready' });
    await engine.client.post(`/containers/${id}/stop`);
    assert.equal((await engine.inspect(id)).State.ExitCode, 3);
  });

  test('stop kills after the timeout', async (t) => {
    const id = await engine.run(t, 'trap "" TERM; while :; do sleep 1; done');
    const startedAt = performance.now();
    await engine.client.post(`/containers/${id}/stop`, { t: 1 });
    const took = performance.now() - startedAt;
    assert.ok(took >= 950, `killed after ${took} ms already`);
    const { State } = await engine.inspect(id);
    assert.equal(State.ExitCode, 137);
    assert.equal(State.Status, 'exited');
    assert.equal(State.OOMKilled, false);
  });

  test('kill sends any signal, by name with and without SIG and by number', async (t) => {
    const script =
      'trap "echo hup" HUP; trap "echo usr1" USR1; trap "exit 0" TERM; echo ready; while :; do sleep 3600 & wait $!; done';
    const id = await engine.run(t, script);
    const printed = async (text: string): Promise<boolean> => (await engine.logs(id)).stdout.endsWith(text);
    await until(() => printed('ready\n'), { what: 'ready' });
    await engine.client.post(`/containers/${id}/kill`, { signal: 'HUP' });
    await until(() => printed('hup\n'), { what: 'hup' });
    await engine.client.post(`/containers/${id}/kill`, { signal: 'SIGUSR1' });
    await until(() => printed('usr1\n'), { what: 'usr1' });
    assert.equal(await engine.status(id), 'running');
    await engine.client.post(`/containers/${id}/kill`, { signal: '15' });
    assert.equal(await engine.wait(id), 0);
  });

  test('kill without a signal is SIGKILL: exit code 137', async (t) => {
    const id = await engine.runIdle(t);
    await engine.client.post(`/containers/${id}/kill`);
    assert.equal(await engine.wait(id), 137);
  });

  test('kill refuses an unknown signal and a container that does not run', async (t) => {
    const id = await engine.create(t);
    await refuses(
      engine.client.post(`/containers/${id}/kill`),
      409,
      new RegExp(
        `^Cannot kill container: ${id}: Container ${id} is not running$|^cannot kill container: ${id}: container ${id} is not running$`,
      ),
    );
    const running = await engine.runIdle(t);
    await refuses(
      engine.client.post(`/containers/${running}/kill`, { signal: 'SIGWHAT' }),
      400,
      /^invalid signal: SIGWHAT$/i,
    );
    await refuses(engine.client.post(`/containers/${running}/kill`, { signal: '999' }), [500, 400], /signal:? 999/i);
  });

  test('restart runs a running and a stopped container anew', async (t) => {
    const id = await engine.runIdle(t);
    const first = await engine.inspect(id);
    await engine.client.post(`/containers/${id}/restart`);
    const second = await engine.inspect(id);
    assert.equal(second.State.Status, 'running');
    assert.notEqual(second.State.Pid, first.State.Pid);
    assert.equal(second.RestartCount, 0);
    await engine.client.post(`/containers/${id}/stop`);
    await engine.client.post(`/containers/${id}/restart`);
    assert.equal(await engine.status(id), 'running');
  });

  test('pause freezes, unpause thaws, and each refuses the wrong state', async (t) => {
    const id = await engine.runIdle(t);
    await engine.client.post(`/containers/${id}/pause`);
    const paused = await engine.inspect(id);
    assert.equal(paused.State.Status, 'paused');
    assert.equal(paused.State.Paused, true);
    assert.equal(paused.State.Running, true);
    await refuses(
      engine.client.post(`/containers/${id}/pause`),
      409,
      new RegExp(`^Container ${id} is already paused$`, 'i'),
    );
    await refuses(
      engine.createExec(id, { Cmd: ['true'] }),
      409,
      new RegExp(`^Container ${id} is paused, unpause the container before exec$`, 'i'),
    );
    await engine.client.post(`/containers/${id}/unpause`);
    assert.equal(await engine.status(id), 'running');
    await refuses(
      engine.client.post(`/containers/${id}/unpause`),
      [500, 409],
      new RegExp(`^Container ${id} is not paused$`, 'i'),
    );
    await engine.client.post(`/containers/${id}/stop`);
    await refuses(
      engine.client.post(`/containers/${id}/pause`),
      409,
      new RegExp(`^Container ${id} is not running$`, 'i'),
    );
  });

  test('start refuses a paused container', async (t) => {
    const id = await engine.runIdle(t);
    await engine.client.post(`/containers/${id}/pause`);
    await refuses(engine.start(id), 409, /cannot start a paused container, try unpause instead/);
  });

  test('a paused container can be stopped, killed and removed by force', async (t) => {
    const ids = await Promise.all([engine.runIdle(t), engine.runIdle(t), engine.runIdle(t)]);
    const [stopped, killed, removed] = ids;
    for (const id of ids) await engine.client.post(`/containers/${id}/pause`);
    await engine.client.post(`/containers/${stopped}/stop`, { t: 1 });
    assert.equal(await engine.status(stopped), 'exited');
    await engine.client.post(`/containers/${killed}/kill`);
    await engine.wait(killed);
    assert.equal(await engine.status(killed), 'exited');
    await engine.client.delete(`/containers/${removed}`, { force: true });
    await refuses(engine.inspect(removed), 404, /^No such container: /);
  });

  test('every route says 404 for a container that does not exist', async () => {
    const message = new RegExp(`(^|^[Cc]annot kill container: ${missing}: )No such container: ${missing}$`);
    for (const route of [
      'start',
      'stop',
      'kill',
      'restart',
      'pause',
      'unpause',
      'wait',
      'resize?h=1&w=1',
      'attach?stream=1',
    ]) {
      await refuses(engine.client.post(`/containers/${missing}/${route}`), 404, message);
    }
    for (const route of ['json', 'logs?stdout=1', 'top', 'stats?stream=0']) {
      await refuses(engine.client.get(`/containers/${missing}/${route}`), 404, message);
    }
    await refuses(engine.client.delete(`/containers/${missing}`), 404, message);
    await refuses(engine.client.post(`/containers/${missing}/rename`, { name: 'x' }), 404, message);
    await refuses(engine.createExec(missing, { Cmd: ['true'] }), 404, message);
  });

  test('create refuses an unknown image, no command, and bad names', async () => {
    await refuses(
      engine.client.post('/containers/create', {}, { json: { Image: 'no-such-image-anywhere:1' } }),
      404,
      /^No such image: no-such-image-anywhere:1$/,
    );
    await refuses(
      engine.client.post('/containers/create', { name: 'no/slash' }, { json: { Image: 'berth-test/busybox' } }),
      400,
      /^Invalid container name \(no\/slash\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\]( are|\+? are) allowed$/,
    );
  });
});
