import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventBus } from './event-bus.ts';

async function collect(events: AsyncIterable<{ Action: string }>): Promise<string[]> {
  const actions: string[] = [];
  for await (const event of events) actions.push(event.Action);
  return actions;
}

test('EventBus.subscribe replays from `since`, filters, and ends at `until`', async () => {
  const bus = new EventBus();
  bus.publish('container', 'create', 'a', { name: 'one', image: 'busybox' });
  bus.publish('container', 'die', 'a', { name: 'one', image: 'busybox', exitCode: '3' });
  bus.publish('image', 'tag', 'sha256:1', { name: 'busybox:latest' });
  const past = bus.subscribe({
    since: 0n,
    until: BigInt(Date.now()) * 1_000_000n + 20_000_000n,
    filters: new Map([['type', ['container']]]),
    signal: new AbortController().signal,
  });
  assert.deepEqual(await collect(past), ['create', 'die']);
});

test('EventBus.subscribe delivers live events until the signal aborts', async () => {
  const bus = new EventBus();
  const controller = new AbortController();
  const live = bus.subscribe({ filters: new Map([['event', ['exec_start']]]), signal: controller.signal });
  bus.publish('container', 'exec_start: sh -c x', 'a', {});
  bus.publish('container', 'exec_die', 'a', {});
  controller.abort();
  assert.deepEqual(await collect(live), ['exec_start: sh -c x']);
  assert.equal(bus.subscriberCount, 0);
});

test('EventBus filters containers by name, labels and image', async () => {
  const bus = new EventBus();
  bus.publish('container', 'start', 'abc', { name: 'web', image: 'nginx:1', tier: 'front' });
  const actionsFor = async (key: string, value: string): Promise<string[]> =>
    collect(
      bus.subscribe({
        since: 0n,
        until: BigInt(Date.now()) * 1_000_000n,
        filters: new Map([[key, [value]]]),
        signal: new AbortController().signal,
      }),
    );
  await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(await actionsFor('container', 'web'), ['start']);
  assert.deepEqual(await actionsFor('container', 'ab'), ['start']);
  assert.deepEqual(await actionsFor('label', 'tier=front'), ['start']);
  assert.deepEqual(await actionsFor('label', 'tier=back'), []);
  assert.deepEqual(await actionsFor('image', 'nginx'), ['start']);
});
