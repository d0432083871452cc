import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '#spec';
import { dockerArchive, idOf, layerOf, sha256, type ArchiveImage } from './archives.ts';
import { assertEmpty, assertWhole, loaded, newFixture, never, type ImageFixture } from './fixture.ts';

const plain = { force: false, noPrune: false, platforms: [] };
const forced = { ...plain, force: true };
const user = 'ab'.repeat(32);

async function withImage(fixture: ImageFixture, image: ArchiveImage): Promise<string> {
  await loaded(fixture.images, await dockerArchive([image]));
  return idOf(image);
}

test('remove by name untags, and takes the image with its last name', async (t) => {
  const fixture = await newFixture(t);
  const layer = await layerOf('a');
  const id = await withImage(fixture, { layers: [layer], tags: ['app:1', 'app:2', 'other/app:1'] });
  assert.deepEqual(await fixture.images.remove('app:1', plain), [{ Untagged: 'app:1' }]);
  assert.deepEqual(await fixture.images.remove('app:2', plain), [{ Untagged: 'app:2' }]);
  assert.deepEqual(await fixture.images.remove('docker.io/other/app:1', plain), [
    { Untagged: 'other/app:1' },
    { Deleted: id },
    { Deleted: `sha256:${sha256(layer)}` },
  ]);
  assert.deepEqual(
    fixture.events.map(({ action }) => action),
    ['load', 'untag', 'untag', 'untag', 'delete'],
  );
  await assertEmpty(fixture);
  await assert.rejects(fixture.images.remove('app:1', plain), { kind: 'notFound', message: 'No such image: app:1' });
});

test('remove by ID wants one repository or force', async (t) => {
  const fixture = await newFixture(t);
  const id = await withImage(fixture, { layers: [await layerOf('a')], tags: ['app:1', 'other:1'] });
  const short = id.slice(7, 19);
  await assert.rejects(fixture.images.remove(short, plain), {
    kind: 'conflict',
    message: `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  });
  const removed = await fixture.images.remove(short, forced);
  assert.deepEqual(removed.slice(0, 3), [{ Untagged: 'app:1' }, { Untagged: 'other:1' }, { Deleted: id }]);
  await assertEmpty(fixture);
});

test('remove refuses what a container uses, with the texts of Docker', async (t) => {
  const fixture = await newFixture(t);
  const id = await withImage(fixture, { layers: [await layerOf('a')], tags: ['app:1'] });
  const short = id.slice(7, 19);
  fixture.users.push({ id: user, running: false });
  await assert.rejects(fixture.images.remove('app:1', plain), {
    kind: 'conflict',
    message: `conflict: unable to remove repository reference "app:1" (must force) - container abababababab is using its referenced image ${short}`,
  });
  await assert.rejects(fixture.images.remove(id, plain), {
    message: `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container abababababab`,
  });
  fixture.users[0] = { id: user, running: true };
  await assert.rejects(fixture.images.remove(id, forced), {
    message: `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container abababababab`,
  });
  assert.deepEqual(await fixture.images.remove('app:1', forced), [{ Untagged: 'app:1' }]);
  assert.equal((await fixture.images.resolve(id)).id, id);
  fixture.users[0] = { id: user, running: false };
  assert.deepEqual((await fixture.images.remove(id, forced))[0], { Deleted: id });
});

test('a stopped container keeps the layers of an image removed by force until it goes', async (t) => {
  const fixture = await newFixture(t);
  const id = await withImage(fixture, { layers: [await layerOf('a')], tags: ['app:1'] });
  const { chainId } = await fixture.images.resolve(id);
  await fixture.store.containerLayers.create(user, chainId);
  fixture.users.push({ id: user, running: false });
  assert.deepEqual(await fixture.images.remove('app:1', forced), [{ Untagged: 'app:1' }, { Deleted: id }]);
  await fixture.store.containerLayers.mount(user, { volatile: true });
  await assertWhole(fixture);
  await fixture.store.containerLayers.remove(user);
  await assertEmpty(fixture);
});

async function commitChild(fixture: ImageFixture, parent: string, repo: string): Promise<Digest> {
  const child = await layerOf(`child of ${parent}`);
  return await fixture.images.commit({
    parentId: parent as Digest,
    tar: (async function* () {
      yield await Promise.resolve(child);
    })(),
    run: { Cmd: ['child'], Labels: { made: 'here' } },
    repo,
    tag: '',
    author: 'me',
    comment: 'a comment',
    createdBy: 'sh',
    signal: never,
  });
}

test('commit makes a child; its parent cannot go before it, and goes with it when untagged', async (t) => {
  const fixture = await newFixture(t);
  const parent = await withImage(fixture, { layers: [await layerOf('a')], tags: ['parent:1'] });
  const child = await commitChild(fixture, parent, 'child');
  const inspect = await fixture.images.inspect('child', { platform: '' });
  assert.deepEqual(
    [inspect.Id, inspect.Parent, inspect.Author, inspect.Comment, inspect.Config?.Cmd, inspect.RootFS.Layers?.length],
    [child, parent, 'me', 'a comment', ['child'], 2],
  );
  await assert.rejects(fixture.images.remove(parent, forced), {
    message: `conflict: unable to delete ${parent.slice(7, 19)} (cannot be forced) - image has dependent child images`,
  });
  assert.deepEqual(await fixture.images.remove('parent:1', plain), [{ Untagged: 'parent:1' }]);
  await assertWhole(fixture);
  const removed = await fixture.images.remove('child', plain);
  assert.deepEqual(removed.slice(0, 3), [{ Untagged: 'child:latest' }, { Deleted: child }, { Deleted: parent }]);
  await assertEmpty(fixture);
});

test('remove with no-prune leaves untagged parents', async (t) => {
  const fixture = await newFixture(t);
  const parent = await withImage(fixture, { layers: [await layerOf('a')], tags: ['parent:1'] });
  await commitChild(fixture, parent, 'child');
  await fixture.images.remove('parent:1', plain);
  await fixture.images.remove('child', { ...plain, noPrune: true });
  assert.equal((await fixture.images.resolve(parent)).id, parent);
  await assertWhole(fixture);
});

test('prune takes dangling images, and with dangling=false all that are not used', async (t) => {
  const fixture = await newFixture(t);
  await withImage(fixture, { layers: [await layerOf('a')], tags: ['app:1'], config: { Labels: { keep: 'yes' } } });
  const dangling = await withImage(fixture, { layers: [await layerOf('b')], tags: [] });
  const first = await fixture.images.prune(new Map());
  assert.deepEqual(first.ImagesDeleted?.[0], { Deleted: dangling });
  assert.ok(first.SpaceReclaimed > 0);
  assert.equal(fixture.events.at(-1)?.attributes['reclaimed'], String(first.SpaceReclaimed));
  const all: [string, string[]] = ['dangling', ['false']];
  assert.equal((await fixture.images.prune(new Map([all, ['label!', ['keep']]]))).ImagesDeleted, null);
  fixture.users.push({ id: user, running: false });
  assert.equal((await fixture.images.prune(new Map([all]))).ImagesDeleted, null);
  fixture.users.pop();
  assert.equal((await fixture.images.prune(new Map([all]))).ImagesDeleted?.length, 3);
  await assertEmpty(fixture);
  await assert.rejects(fixture.images.prune(new Map([['reference', ['x']]])), {
    message: "invalid filter 'reference'",
  });
});
