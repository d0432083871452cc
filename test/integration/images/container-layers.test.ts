import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dockerArchive, layerOf } from './archives.ts';
import { assertWhole, loaded, newFixture, openFixture, temporaryDirectory } from './fixture.ts';

const id = 'cd'.repeat(32);

test('a writable layer is mounted, kept over a restart of the engine, and removed', async (t) => {
  const directory = temporaryDirectory(t);
  const before = await openFixture(directory);
  await loaded(before.images, await dockerArchive([{ layers: [await layerOf('a', 'lower')], tags: ['a:1'] }]));
  const { chainId } = await before.images.resolve('a:1');
  const layers = before.store.containerLayers;
  await layers.create(id, chainId);
  await layers.create(id, chainId);
  const merged = await layers.mount(id, { volatile: false });
  assert.equal(readFileSync(join(merged, 'a'), 'utf8'), 'lower');
  assert.equal(statSync(merged).mode & 0o7777, 0o755);
  writeFileSync(join(merged, 'new'), '12345');
  assert.equal(await layers.usageBytes(id), 5);
  await before.close();

  const after = await openFixture(directory);
  t.after(() => after.close());
  assert.deepEqual(after.store.containerLayers.list(), [id]);
  assert.equal(await after.store.containerLayers.mount(id, { volatile: false }), merged);
  assert.equal(readFileSync(join(merged, 'new'), 'utf8'), '12345');
  await assertWhole(after);
  await after.store.containerLayers.remove(id);
  await after.store.containerLayers.remove(id);
  assert.equal(existsSync(join(after.root, 'rw', id)), false);
  await assert.rejects(after.store.containerLayers.mount(id, { volatile: false }), { kind: 'notFound' });
});

test('a volatile layer can be mounted again, and one without an image has an empty root', async (t) => {
  const fixture = await newFixture(t);
  const layers = fixture.store.containerLayers;
  await layers.create(id, undefined);
  for (const volatile of [true, true, false, true]) {
    const merged = await layers.mount(id, { volatile });
    writeFileSync(join(merged, 'file'), String(volatile));
    await layers.unmount(id);
    await layers.unmount(id);
  }
  assert.equal(readFileSync(join(layers.upperDir(id), 'file'), 'utf8'), 'true');
  await layers.remove(id);
  await assertWhole(fixture);
});

test('a stack of 150 layers mounts', async (t) => {
  const fixture = await newFixture(t);
  const layers = await Promise.all(Array.from({ length: 150 }, (_, n) => layerOf(`f${n}`)));
  await loaded(fixture.images, await dockerArchive([{ layers, tags: ['deep:1'] }]));
  const { chainId } = await fixture.images.resolve('deep:1');
  await fixture.store.containerLayers.create(id, chainId);
  const merged = await fixture.store.containerLayers.mount(id, { volatile: true });
  assert.ok(existsSync(join(merged, 'f0')) && existsSync(join(merged, 'f149')));
  await fixture.store.containerLayers.remove(id);
});

test('after an unclean boot layers are unpacked again; after a clean end they are trusted', async (t) => {
  const directory = temporaryDirectory(t);
  const before = await openFixture(directory);
  await loaded(before.images, await dockerArchive([{ layers: [await layerOf('a', 'right')], tags: ['a:1'] }]));
  const damage = (root: string): void => writeFileSync(join(root, 'a'), 'wrong');
  const pathOf = (fixture: typeof before): string => {
    const [layer] = fixture.store.layers.list();
    return layer === undefined ? '' : fixture.store.layers.path(layer);
  };
  damage(pathOf(before));
  before.db.prepare("UPDATE layers SET boot_id = 'another boot'").run();
  await before.close();
  const repaired = await openFixture(directory);
  assert.equal(readFileSync(join(pathOf(repaired), 'a'), 'utf8'), 'right');
  await repaired.store.close();
  damage(pathOf(repaired));
  await repaired.close();
  const trusted = await openFixture(directory);
  t.after(() => trusted.close());
  assert.equal(readFileSync(join(pathOf(trusted), 'a'), 'utf8'), 'wrong');
  const { problems } = await trusted.store.fsck({ deep: true });
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /the snapshot differs from its blob: \/a has other metadata/);
});

test('fsck finds nothing wrong with implied directories and whiteouts', async (t) => {
  const fixture = await newFixture(t);
  const layers = [
    await layerOf('some/where/file'),
    await layerOf('some/where/.wh.file', ''),
    await layerOf('other/.wh..wh..opq', ''),
  ];
  await loaded(fixture.images, await dockerArchive([{ layers, tags: ['a:1'] }]));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await assertWhole(fixture);
  const { chainId } = await fixture.images.resolve('a:1');
  await fixture.store.containerLayers.create(id, chainId);
  const merged = await fixture.store.containerLayers.mount(id, { volatile: true });
  assert.deepEqual(
    [existsSync(join(merged, 'some/where')), existsSync(join(merged, 'some/where/file'))],
    [true, false],
  );
});

test('fsck tells in words what is wrong', async (t) => {
  const fixture = await newFixture(t);
  await loaded(fixture.images, await dockerArchive([{ layers: [await layerOf('a')], tags: ['a:1'] }]));
  const image = await fixture.images.resolve('a:1');
  const [layer] = fixture.store.layers.list();
  assert.ok(layer);
  writeFileSync(fixture.store.blobs.path(layer.blobDigest), 'changed');
  rmSync(fixture.store.layers.path(layer), { recursive: true });
  writeFileSync(join(fixture.root, 'ingest', 'left'), '');
  writeFileSync(join(fixture.root, 'blobs', 'sha256', 'a'.repeat(64)), '');
  rmSync(fixture.store.blobs.path(image.id));
  const { problems } = await fixture.store.fsck({ deep: false });
  assert.deepEqual(problems.map((text) => text.replace(/[0-9a-f]{12,}/g, 'X')).sort(), [
    'blob sha256:X: content does not match its digest',
    'blob sha256:X: content does not match its digest',
    'blob sha256:X: nothing refers to it',
    'blob sha256:X: referred to, but missing',
    'ingest folder: leftover left',
    'layer X: its snapshot 1 is missing',
  ]);
});
