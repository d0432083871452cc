import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { BlobStore } from './blob-store.ts';
import { BlobWriter } from './blob-writer.ts';

function openTemporary(t: TestContext): BlobStore {
  const root = mkdtempSync(join(tmpdir(), 'berth-blobs-'));
  t.after(() => rmSync(root, { recursive: true }));
  return new BlobStore(root);
}

const content = Buffer.alloc(3_000_000, 'berth');
const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;

test('BlobStore.commit keeps what was written in pieces under its digest', async (t) => {
  const blobs = openTemporary(t);
  await using writer = await blobs.createWriter();
  for (let at = 0; at < content.length; at += 70_001) await writer.write(content.subarray(at, at + 70_001));
  const file = await writer.finish();
  assert.deepEqual([file.digest, file.sizeBytes], [digest, content.length]);
  const committed = await blobs.commit(file);
  assert.ok(content.equals(await blobs.read(committed, content.length)));
  assert.deepEqual([await blobs.list(), await blobs.listIngest()], [[digest], []]);
  assert.ok(await blobs.verify(committed));
});

test('BlobStore.commit rejects a digest mismatch and leaves nothing', async (t) => {
  const blobs = openTemporary(t);
  await using writer = await blobs.createWriter();
  await writer.write(Buffer.from('x'));
  const file = await writer.finish();
  await assert.rejects(blobs.commit(file, { sizeBytes: 2 }), { kind: 'invalidArgument', code: 'BLOB_MISMATCH' });
  assert.deepEqual([await blobs.list(), await blobs.listIngest()], [[], []]);
});

test('BlobWriter disposed before its end removes its file', async (t) => {
  const blobs = openTemporary(t);
  {
    await using writer = await blobs.createWriter();
    await writer.write(content);
  }
  assert.deepEqual(await blobs.listIngest(), []);
});

test('BlobStore.put stores once, pins first, and detach takes it out', async (t) => {
  const blobs = openTemporary(t);
  const pinned: string[] = [];
  const first = await blobs.put(content, (each) => pinned.push(each));
  assert.equal(await blobs.put(content, (each) => pinned.push(each)), first);
  assert.deepEqual(pinned, [digest, digest]);
  const free = blobs.detach(first);
  assert.ok(!blobs.has(first));
  await free?.();
  assert.deepEqual(await blobs.listIngest(), []);
  assert.equal(blobs.detach(first), undefined);
  assert.throws(() => blobs.sizeBytes(first), { kind: 'dataLoss' });
});

test('BlobStore.verify notices changed bytes', async (t) => {
  const blobs = openTemporary(t);
  const stored = await blobs.put(content, () => undefined);
  writeFileSync(blobs.path(stored), 'changed');
  assert.equal(await blobs.verify(stored), false);
});

test('BlobWriter.resume goes on where suspend stopped and cuts off what came behind', async (t) => {
  const blobs = openTemporary(t);
  const path = blobs.ingestPath('part');
  const first = await BlobWriter.create(path);
  await first.write(content.subarray(0, 1_500_000));
  const written = await first.suspend();
  writeFileSync(path, 'left by a write that was cut', { flag: 'a' });
  await using second = await BlobWriter.resume(path, written);
  await second.write(content.subarray(1_500_000));
  assert.equal((await second.finish()).digest, digest);
});
