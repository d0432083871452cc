import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RestartPolicy } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

const policy = (
  Name: RestartPolicy['Name'],
  MaximumRetryCount = 0,
): { HostConfig: { RestartPolicy: RestartPolicy } } => ({
  HostConfig: { RestartPolicy: { Name, MaximumRetryCount } },
});

async function reaches(id: string, status: string): Promise<void> {
  await until(async () => (await engine.status(id)) === status, { what: `status ${status}` });
}

async function restarts(id: string, count: number): Promise<void> {
  await until(async () => (await engine.inspect(id)).RestartCount >= count, { what: `${count} restarts` });
}

/** Ends with `code` on each of the signals. */
const endsOn = (signals: string, code: number): string =>
  `trap "exit ${code}" ${signals}; while :; do sleep 0.05 & wait $!; done`;

describe('restart policies', { concurrency: 4 }, () => {
  test('on-failure gives up after its count, and counts anew after a start', async (t) => {
    const id = await engine.run(t, 'exit 3', policy('on-failure', 2));
    for (let round = 0; round < 2; round++) {
      await until(async () => (await engine.inspect(id)).RestartCount === 2, { what: 'two restarts' });
      await reaches(id, 'exited');
      assert.equal((await engine.inspect(id)).State.ExitCode, 3);
      if (round === 0) await engine.start(id);
    }
  });

  test('on-failure leaves a success alone', async (t) => {
    const id = await engine.run(t, 'exit 0', policy('on-failure'));
    await engine.wait(id);
    await reaches(id, 'exited');
    assert.equal((await engine.inspect(id)).RestartCount, 0);
  });

  test('waiting for the next exit ends with each run; for the removal, with the last', async (t) => {
    const id = await engine.run(t, 'sleep 0.2; exit 7', policy('always'));
    const removed = engine.wait(id, 'removed');
    for (let round = 0; round < 3; round++) assert.equal(await engine.wait(id, 'next-exit'), 7);
    await restarts(id, 2);
    await engine.remove(id);
    assert.ok([7, 137].includes(await removed));
  });

  test('a stop ends it, also between two runs', async (t) => {
    const id = await engine.run(t, 'exit 1', policy('always'));
    await restarts(id, 3);
    await engine.client.post(`/containers/${id}/stop`);
    await reaches(id, 'exited');
    const { RestartCount } = await engine.inspect(id);
    const other = await engine.run(t, 'exit 1', policy('always'));
    await restarts(other, 3);
    assert.equal((await engine.inspect(id)).RestartCount, RestartCount);
    assert.equal(await engine.status(id), 'exited');
  });

  for (const signal of ['KILL', 'TERM', 'HUP']) {
    test(`what ends by a user's SIG${signal} stays ended`, async (t) => {
      const id = await engine.run(t, endsOn('TERM HUP', 5), policy('always'));
      await engine.exec(id, 'usleep 200000');
      await engine.client.post(`/containers/${id}/kill`, { signal });
      await reaches(id, 'exited');
      const { State, RestartCount } = await engine.inspect(id);
      assert.deepEqual([State.ExitCode, RestartCount], [signal === 'KILL' ? 137 : 5, 0]);
    });
  }

  test('with a stop signal of its own, other signals are no stop', async (t) => {
    const id = await engine.run(t, endsOn('HUP', 5), { StopSignal: 'SIGUSR1', ...policy('always') });
    await engine.exec(id, 'usleep 200000');
    await engine.client.post(`/containers/${id}/kill`, { signal: 'HUP' });
    await restarts(id, 1);
  });

  test('while it waits for its restart it cannot be paused, executed in or removed', async (t) => {
    const id = await engine.run(t, 'exit 1', policy('always'));
    await restarts(id, 5);
    await reaches(id, 'restarting');
    await refuses(
      engine.client.post(`/containers/${id}/pause`),
      409,
      /is restarting, wait until the container is running/,
    );
    await refuses(engine.createExec(id, { Cmd: ['true'] }), 409, /is restarting, wait until the container is running/);
    await refuses(engine.client.delete(`/containers/${id}`), 409, /restarting/);
  });
});
