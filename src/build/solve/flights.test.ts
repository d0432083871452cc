import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flights } from './flights.ts';

const never = new AbortController().signal;

test('work of one key is done once, and all hear all of it in order', async () => {
  const flights = new Flights<string, number>();
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const work = async (_signal: AbortSignal, tell: (event: number) => Promise<void>): Promise<string> => {
    begun += 1;
    await tell(1);
    await gate.promise;
    await tell(2);
    return 'made';
  };
  const [early, late]: number[][] = [[], []];
  const heard = Promise.withResolvers<void>();
  const hear = (event: number): void => {
    early?.push(event);
    heard.resolve();
  };
  const first = flights.join('k', never, hear, work);
  await heard.promise;
  const second = flights.join('k', never, (event) => void late?.push(event), work);
  gate.resolve();
  assert.deepEqual(await Promise.all([first, second]), ['made', 'made']);
  assert.deepEqual([begun, early, late], [1, [1, 2], [1, 2]]);
});

test('work is cancelled with the last who waits, not before', async () => {
  const flights = new Flights<string, never>();
  const [one, two] = [new AbortController(), new AbortController()];
  const stopped = Promise.withResolvers<void>();
  const work = (signal: AbortSignal): Promise<string> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        stopped.resolve();
        reject(new Error('stopped'));
      });
    });
  const ignore = (): void => undefined;
  const first = flights.join('k', one.signal, ignore, work);
  const second = flights.join('k', two.signal, ignore, work);
  two.abort(new Error('two left'));
  await assert.rejects(second, /two left/);
  one.abort(new Error('one left'));
  await assert.rejects(first, /one left/);
  await stopped.promise;
});

test('a watcher that fails holds nobody up', async () => {
  const flights = new Flights<string, number>();
  const made = flights.join(
    'k',
    never,
    () => Promise.reject(new Error('gone')),
    async (_signal, tell) => {
      await tell(1);
      return 'made';
    },
  );
  assert.equal(await made, 'made');
});
