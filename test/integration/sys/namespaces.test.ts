import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createScratch } from './scratch.ts';

function ownNetns(): string {
  return readlinkSync('/proc/thread-self/ns/net');
}

function linkNames(): string[] {
  return readdirSync('/proc/thread-self/net/dev_snmp6').toSorted();
}

test('createNetns makes a namespace that withNetns enters and both return home', () => {
  using scratch = createScratch();
  const { namespaces } = scratch.sys;
  const home = ownNetns();
  const path = join(scratch.path, 'ns');
  const inside = namespaces.createNetns(path, ownNetns);
  assert.notEqual(inside, home);
  assert.equal(ownNetns(), home);
  assert.equal(namespaces.withNetns(path, ownNetns), inside);
  assert.deepEqual(namespaces.withNetns(path, linkNames), ['lo']);
  assert.throws(() =>
    namespaces.withNetns(path, () => {
      throw new Error('inside');
    }),
  );
  assert.equal(ownNetns(), home);
  namespaces.removeNetns(path);
  namespaces.removeNetns(path);
  assert.equal(existsSync(path), false);
});

test('createNetns leaves nothing when the work inside fails and refuses an existing path', () => {
  using scratch = createScratch();
  const { namespaces } = scratch.sys;
  const path = join(scratch.path, 'ns');
  assert.throws(
    () =>
      namespaces.createNetns(path, () => {
        throw new Error('inside');
      }),
    { message: 'inside' },
  );
  assert.equal(existsSync(path), false);
  writeFileSync(path, '');
  assert.throws(() => namespaces.createNetns(path), { code: 'EEXIST' });
  assert.equal(existsSync(path), true);
});

test('chroot is refused on the main thread and holds a worker in', async () => {
  using scratch = createScratch();
  assert.throws(() => scratch.sys.namespaces.chroot(scratch.path), { code: 'SYS_MAIN_THREAD' });
  assert.throws(() => scratch.sys.namespaces.unshare(0), { code: 'SYS_MAIN_THREAD' });
  mkdirSync(join(scratch.path, 'only'));
  const worker = new Worker(new URL('./chroot-worker.ts', import.meta.url), { workerData: scratch.path });
  const seen = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  assert.deepEqual(seen, { names: ['only'], mode: 0o777 });
  assert.equal(existsSync('/only'), false);
});
