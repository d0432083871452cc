import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WaitResponse } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';
import { within } from '../../helpers/until.ts';

const engine = useEngine();

/** Arms a waiter: resolves when the headers are there; the promise inside resolves with the answer. */
async function arm(id: string, condition?: string): Promise<{ answer: Promise<WaitResponse> }> {
  const response = await engine.client.send({
    method: 'POST',
    path: `/containers/${id}/wait`,
    query: condition === undefined ? {} : { condition },
  });
  return { answer: within(response.json<WaitResponse>(), `the wait for ${condition ?? 'not-running'}`) };
}

describe('container wait', { concurrency: 4 }, () => {
  test('answers at once for a container that has exited', async (t) => {
    const id = await engine.run(t, 'exit 5');
    assert.equal(await engine.wait(id), 5);
    assert.equal(await engine.wait(id, 'not-running'), 5);
  });

  test('next-exit is armed when the headers arrive, before start', async (t) => {
    const id = await engine.create(t, { Cmd: ['sh', '-c', 'exit 9'] });
    const { answer } = await arm(id, 'next-exit');
    await engine.start(id);
    assert.equal((await answer).StatusCode, 9);
  });

  test('next-exit ignores an exit that is over', async (t) => {
    const id = await engine.run(t, 'exit 0');
    await engine.wait(id);
    const { answer } = await arm(id, 'next-exit');
    let settled = false;
    void answer.finally(() => (settled = true));
    await engine.inspect(id);
    assert.equal(settled, false);
    await engine.start(id);
    assert.equal((await answer).StatusCode, 0);
  });

  test('removed answers the true exit code, after the removal', async (t) => {
    const id = await engine.create(t, { Cmd: ['sh', '-c', 'exit 11'], HostConfig: { AutoRemove: true } });
    const { answer } = await arm(id, 'removed');
    await engine.start(id);
    assert.equal((await answer).StatusCode, 11);
    await refuses(engine.inspect(id), 404, /No such container/);
  });

  test('removed waits for a removal by hand', async (t) => {
    const id = await engine.run(t, 'exit 12');
    await engine.wait(id);
    const { answer } = await arm(id, 'removed');
    await engine.client.delete(`/containers/${id}`);
    assert.equal((await answer).StatusCode, 12);
  });

  test('many waiters of one container all get the answer', async (t) => {
    const id = await engine.create(t, { Cmd: ['sh', '-c', 'exit 4'] });
    const waiters = await Promise.all(Array.from({ length: 20 }, async () => await arm(id, 'next-exit')));
    await engine.start(id);
    const answers = await Promise.all(waiters.map(async ({ answer }) => await answer));
    assert.deepEqual(new Set(answers.map(({ StatusCode }) => StatusCode)), new Set([4]));
  });

  test('a waiter that goes away disturbs nobody', async (t) => {
    const id = await engine.runIdle(t);
    const gone = await engine.client.send({ method: 'POST', path: `/containers/${id}/wait` });
    const { answer } = await arm(id);
    gone.cancel();
    await engine.client.post(`/containers/${id}/stop`);
    assert.equal((await answer).StatusCode, 0);
  });

  test('refuses an unknown condition', berthOnly, async (t) => {
    const id = await engine.create(t);
    await refuses(engine.wait(id, 'someday'), 400, /^invalid condition: "?someday"?$/);
  });
});
