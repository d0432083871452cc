import assert from 'node:assert/strict';
import { appendFileSync, linkSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { ReadLogsOptions } from './contract.ts';
import { readLogs } from './read-logs.ts';

let directory = '';
let path = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-logs-'));
  path = join(directory, 'log');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A record at `second` past an hour; a trailing newline in `data` makes it a full one. */
function record(second: number, data: string, stream = 'stdout'): string {
  const time = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString().replace(/Z$/, '000000+00:00');
  return data.endsWith('\n') ? `${time} ${stream} F ${data}` : `${time} ${stream} P ${data}\n`;
}
const nano = (second: number): bigint => BigInt(Date.UTC(2026, 0, 1, 0, 0, second)) * 1_000_000n;

async function read(options: Partial<ReadLogsOptions> = {}): Promise<string[]> {
  const texts = [];
  for await (const line of readLogs(path, { follow: false, ...options })) texts.push(line.data.toString());
  return texts;
}

test('readLogs goes through rotated files, oldest first, each file once', async () => {
  writeFileSync(`${path}.2`, record(1, 'a\n'));
  writeFileSync(`${path}.1`, record(2, 'b\n'));
  linkSync(`${path}.1`, path);
  assert.deepEqual(await read(), ['a\n', 'b\n']);
});

test('readLogs of a log that is not there is empty', async () => {
  assert.deepEqual(await read(), []);
});

test('readLogs tails lines across files and counts a line in parts once', async () => {
  writeFileSync(`${path}.1`, record(1, 'a\n') + record(2, 'b\n'));
  writeFileSync(path, record(3, 'c1') + record(3, 'c2\n') + record(4, 'd\n') + record(5, 'end'));
  assert.deepEqual(await read({ tail: 0 }), []);
  assert.deepEqual(await read({ tail: 1 }), ['end']);
  assert.deepEqual(await read({ tail: 2 }), ['d\n', 'end']);
  assert.deepEqual(await read({ tail: 3 }), ['c1', 'c2\n', 'd\n', 'end']);
  assert.deepEqual(await read({ tail: 4 }), ['b\n', 'c1', 'c2\n', 'd\n', 'end']);
  assert.deepEqual((await read({ tail: 99 })).length, 6);
});

test('readLogs tails files larger than a block', async () => {
  const lines = Array.from({ length: 5000 }, (_, n) => `${n} ${'x'.repeat(n % 97)}\n`);
  writeFileSync(path, lines.map((line) => record(1, line)).join(''));
  for (const tail of [1, 700, 4999, 5000, 6000]) assert.deepEqual(await read({ tail }), lines.slice(-tail));
});

test('readLogs picks by time, both ends included', async () => {
  writeFileSync(path, [1, 2, 3, 4].map((second) => record(second, `${second}\n`)).join(''));
  assert.deepEqual(await read({ since: nano(2), until: nano(3) }), ['2\n', '3\n']);
  assert.deepEqual(await read({ since: nano(9) }), []);
});

test('readLogs gives out a half-written last line', async () => {
  writeFileSync(path, record(1, 'whole\n') + record(2, 'cut short').slice(0, -3));
  assert.deepEqual(await read(), ['whole\n', 'cut sho']);
});

test('readLogs follows across rotation and ends when the process has', async () => {
  writeFileSync(path, record(1, 'old\n'));
  const finished = Promise.withResolvers<void>();
  const lines = readLogs(path, { follow: true, tail: 0, finished: finished.promise });
  const next = async (): Promise<string | undefined> => {
    const result = await lines.next();
    return result.done ? undefined : result.value.data.toString();
  };
  const first = next();
  setTimeout(() => appendFileSync(path, record(2, 'one\n')), 20);
  assert.equal(await first, 'one\n');
  linkSync(path, `${path}.1`);
  appendFileSync(`${path}.1`, record(3, 'two\n'));
  writeFileSync(`${path}.tmp`, '');
  renameSync(`${path}.tmp`, path);
  appendFileSync(path, record(4, 'three\n'));
  assert.equal(await next(), 'two\n');
  assert.equal(await next(), 'three\n');
  appendFileSync(path, record(5, 'last\n'));
  finished.resolve();
  assert.equal(await next(), 'last\n');
  assert.equal(await next(), undefined);
});

test('readLogs stops following when its signal aborts', async () => {
  const controller = new AbortController();
  const reading = read({ follow: true, signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(reading, { name: 'AbortError' });
});
