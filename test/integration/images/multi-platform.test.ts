import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readTar } from '#archive';
import {
  dockerArchive,
  idOf,
  indexArchive,
  indexOf,
  indexOfIndexes,
  layerOf,
  type ArchiveImage,
  type BuiltIndex,
} from './archives.ts';
import { assertEmpty, assertWhole, loaded, loadLines, never, newFixture, type ImageFixture } from './fixture.ts';

const host = process.arch === 'arm64' ? 'arm64' : 'amd64';
const whole = { force: false, noPrune: false, platforms: [] };

async function threePlatforms(): Promise<ArchiveImage[]> {
  const shared = await layerOf('shared', 's'.repeat(100_000));
  return await Promise.all(
    ['s390x', host, 'riscv64'].map(async (architecture) => ({
      layers: [shared, await layerOf('own', architecture.repeat(20_000))],
      tags: [],
      architecture,
      compress: 'gzip' as const,
    })),
  );
}

function at<T>(list: readonly T[], position: number): T {
  const found = list[position];
  assert.ok(found !== undefined);
  return found;
}

async function list(fixture: ImageFixture, filters: [string, string[]][] = [], manifests = true) {
  return await fixture.images.list({ all: false, filters: new Map(filters), sharedSize: false, manifests });
}

async function saved(fixture: ImageFixture, ref: string, platform = ''): Promise<Buffer> {
  const stream = await fixture.images.save([ref], { platform, signal: never });
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}

async function namesIn(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const entry of readTar(Readable.from([archive]))) {
    if (entry.header.type === 'file') files.set(entry.header.name, await entry.bytes(10_000_000));
  }
  return files;
}

function bytesBelow(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

test('load keeps every platform of an index, lists them as one image, and the name means the host', async (t) => {
  const fixture = await newFixture(t);
  const images = await threePlatforms();
  const index = indexOf(images, { extras: true });
  assert.deepEqual(await loaded(fixture.images, await indexArchive(index, 'multi:1')), ['Loaded image: multi:1']);
  await assertWhole(fixture);
  const rows = await list(fixture);
  assert.equal(rows.length, 1);
  const row = at(rows, 0);
  assert.equal(row.Id, idOf(at(images, 1)));
  assert.equal(row.Descriptor?.digest, index.digest);
  const manifests = row.Manifests ?? [];
  assert.deepEqual(
    manifests.map(({ ID, Kind, Available }) => ({ ID, Kind, Available })),
    index.manifests.map((ID, position) => ({
      ID,
      Kind: position < 3 ? 'image' : position === 3 ? 'attestation' : 'unknown',
      Available: true,
    })),
  );
  assert.deepEqual(at(manifests, 3).AttestationData, { For: at(index.manifests, 0) });
  assert.deepEqual(at(manifests, 0).ImageData, {
    Platform: { architecture: 's390x', os: 'linux' },
    Size: { Unpacked: 0 },
    Containers: null,
  });
  assert.ok((at(manifests, 1).ImageData?.Size.Unpacked ?? 0) > 100_000);
  assert.equal(at(manifests, 1).Size.Total, at(manifests, 1).Size.Content + 100_000 + host.length * 20_000);
  const content = [...index.blobs.values()].reduce((sum, blob) => sum + blob.length, 0);
  assert.equal(row.Size, content + 100_000 + host.length * 20_000);
  assert.equal((await list(fixture, [], false))[0]?.Size, 100_000 + host.length * 20_000);
});

test('resolve, inspect and history choose a platform, unpack it when it is wanted, and say when it is not there', async (t) => {
  const fixture = await newFixture(t);
  const images = await threePlatforms();
  await loaded(fixture.images, await indexArchive(indexOf(images), 'multi:1'));
  assert.equal(fixture.store.images.list().length, 1);
  const inspected = await fixture.images.inspect('multi:1', { platform: 'linux/riscv64' });
  assert.equal(inspected.Id, idOf(at(images, 2)));
  assert.deepEqual(inspected.RepoTags, ['multi:1']);
  assert.equal(inspected.Descriptor?.digest, indexOf(images).manifests[2]);
  const [one, two] = await Promise.all([
    fixture.images.resolve('multi:1', 'linux/s390x'),
    fixture.images.resolve('multi:1', '{"os":"linux","architecture":"s390x"}'),
  ]);
  assert.deepEqual([one.id, two.id], [idOf(at(images, 0)), idOf(at(images, 0))]);
  assert.equal((await fixture.images.history('multi:1', { platform: 'linux/s390x' }))[0]?.Id, one.id);
  assert.equal((await fixture.images.resolve('multi:1')).id, idOf(at(images, 1)));
  await assert.rejects(fixture.images.resolve('multi:1', 'linux/arm/v6'), {
    kind: 'notFound',
    message: 'image with reference multi:1 was found but does not provide the specified platform (linux/arm/v6)',
  });
  assert.equal((await list(fixture)).length, 1, 'platforms are no rows of their own');
  assert.deepEqual((await list(fixture, [['dangling', ['true']]])).length, 0);
  await assertWhole(fixture);
  await fixture.images.prune(new Map());
  assert.equal(fixture.store.images.list().length, 3, 'a platform is not dangling');
});

test('removing the last name of an index frees all of it; another name keeps it', async (t) => {
  const fixture = await newFixture(t);
  const images = await threePlatforms();
  const before = bytesBelow(fixture.root);
  await loaded(fixture.images, await indexArchive(indexOf(images, { extras: true }), 'multi:1'));
  await fixture.images.resolve('multi:1', 'linux/s390x');
  await fixture.images.tag('multi:1', 'other', '2');
  assert.deepEqual(await fixture.images.remove('multi:1', whole), [{ Untagged: 'multi:1' }]);
  assert.equal((await list(fixture))[0]?.Manifests?.length, 5);
  await assertWhole(fixture);
  const removed = await fixture.images.remove('other:2', whole);
  assert.deepEqual(removed.slice(0, 3), [
    { Untagged: 'other:2' },
    { Deleted: idOf(at(images, 1)) },
    { Deleted: idOf(at(images, 0)) },
  ]);
  await assertEmpty(fixture);
  assert.equal(bytesBelow(fixture.root), before);
});

test('an image that a container has for another platform keeps the name from being removed', async (t) => {
  const fixture = await newFixture(t);
  await loaded(fixture.images, await indexArchive(indexOf(await threePlatforms()), 'multi:1'));
  const { id } = await fixture.images.resolve('multi:1', 'linux/s390x');
  fixture.users.push({ id: 'cafe'.repeat(16), running: true });
  await assert.rejects(fixture.images.remove('multi:1', whole), { kind: 'conflict', message: /must force/ });
  fixture.users.length = 0;
  const removed = await fixture.images.remove(id, whole);
  assert.deepEqual(removed[0], { Deleted: id });
  assert.equal((await list(fixture))[0]?.Manifests?.[0]?.Available, false);
  await assertWhole(fixture);
});

test('what save writes of an index is the index, byte for byte; with a platform that manifest alone', async (t) => {
  const from = await newFixture(t);
  const images = await threePlatforms();
  const index = indexOf(images, { extras: true });
  await loaded(from.images, await indexArchive(index, 'multi:1'));
  const archive = await saved(from, 'multi:1');
  const files = await namesIn(archive);
  for (const [digest, content] of index.blobs) {
    assert.deepEqual(files.get(`blobs/sha256/${digest.slice(7)}`), content, digest);
  }
  const [entry] = JSON.parse(String(files.get('manifest.json'))) as { Config: string; RepoTags: string[] }[];
  assert.deepEqual(entry?.RepoTags, ['multi:1']);
  assert.equal(entry.Config, `blobs/sha256/${idOf(at(images, 1)).slice(7)}`);
  const to = await newFixture(t);
  assert.deepEqual(await loaded(to.images, archive), ['Loaded image: multi:1']);
  assert.deepEqual(await list(to), await list(from));
  assert.ok(archive.equals(await saved(to, 'multi:1')), 'the same index gives the same bytes');

  const single = await namesIn(await saved(from, 'multi:1', 'linux/s390x'));
  const blobs = [...single.keys()].filter((name) => name.startsWith('blobs/'));
  assert.equal(blobs.length, 4);
  const { manifests } = JSON.parse(String(single.get('index.json'))) as { manifests: { digest: string }[] };
  assert.equal(manifests[0]?.digest, index.manifests[0]);
  assert.equal(from.store.images.list().length, 1, 'nothing was unpacked for it');
  await assert.rejects(saved(from, 'multi:1', 'linux/mips'), { kind: 'notFound', message: /does not provide/ });
  await Promise.all([from.store.settle(), to.store.settle()]);
});

test('load takes what is there of an index, and with a platform nothing else', async (t) => {
  const fixture = await newFixture(t);
  const images = await threePlatforms();
  const index = indexOf(images);
  const archive = await indexArchive(index, 'part:1', [at(index.manifests, 1), idOf(at(images, 1))]);
  assert.deepEqual(await loaded(fixture.images, archive), ['Loaded image: part:1']);
  assert.equal((await fixture.images.inspect('part:1', { platform: '' })).Architecture, 's390x');
  const available = async (): Promise<(boolean | undefined)[]> =>
    ((await list(fixture))[0]?.Manifests ?? []).map((manifest) => manifest.Available);
  assert.deepEqual(await available(), [true, false, true]);
  await assert.rejects(loadLines(fixture.images, archive, { platform: `linux/${host}` }), /no image for linux/);
  await loaded(fixture.images, await indexArchive(index, 'part:1'));
  assert.deepEqual(await available(), [true, true, true]);
  assert.equal((await fixture.images.inspect('part:1', { platform: '' })).Architecture, host, 'the host joined');
  await fixture.images.remove('part:1', whole);
  await assertEmpty(fixture);
  await loadLines(fixture.images, await indexArchive(index, 'part:2'), { platform: 'linux/riscv64' });
  assert.deepEqual(await available(), [false, false, true]);
  await assertWhole(fixture);
});

test('an index without a name is kept with its image, and gets one with a tag', async (t) => {
  const fixture = await newFixture(t);
  const images = await threePlatforms();
  const index = indexOf(images);
  const id = idOf(at(images, 1));
  assert.deepEqual(await loaded(fixture.images, await indexArchive(index)), [`Loaded image ID: ${id}`]);
  await assertWhole(fixture);
  await fixture.images.tag(id, 'named', '1');
  assert.equal((await fixture.images.resolve('named:1', 'linux/s390x')).id, idOf(at(images, 0)));
  const digest = at(index.manifests, 2);
  assert.equal((await fixture.images.resolve(`named@${digest}`)).id, idOf(at(images, 2)));
  assert.equal((await fixture.images.resolve(`named@${index.digest}`)).id, id);
  await assert.rejects(fixture.images.resolve(`other@${index.digest}`), { kind: 'notFound' });
  await fixture.images.remove('named:1', whole);
  await assertEmpty(fixture);
});

test('an index without a name leaves an image alone that has one', async (t) => {
  const fixture = await newFixture(t);
  const images = await threePlatforms();
  await loaded(fixture.images, await dockerArchive([{ ...at(images, 1), tags: ['known:1'] }]));
  await loaded(fixture.images, await indexArchive(indexOf(images)));
  assert.deepEqual(fixture.store.indexes.list(), []);
  assert.equal((await list(fixture))[0]?.Manifests?.length, 1);
  await assertWhole(fixture);
});

test('a name that moves to another image leaves the index to the image that has lost it', async (t) => {
  const fixture = await newFixture(t);
  const first = await threePlatforms();
  await loaded(fixture.images, await indexArchive(indexOf(first), 'moving:1'));
  await fixture.images.resolve('moving:1', 'linux/s390x');
  const second = first.map((image) => ({ ...image, config: { Cmd: ['other'] } }));
  await loaded(fixture.images, await indexArchive(indexOf(second), 'moving:1'));
  const rows = await list(fixture);
  assert.deepEqual(
    rows.map((row) => row.RepoTags.length).toSorted((a, b) => a - b),
    [0, 1],
  );
  assert.equal(fixture.store.indexes.list().length, 2);
  await assertWhole(fixture);
  const pruned = await fixture.images.prune(new Map());
  assert.deepEqual(pruned.ImagesDeleted?.slice(0, 2), [
    { Deleted: idOf(at(first, 1)) },
    { Deleted: idOf(at(first, 0)) },
  ]);
  assert.equal(fixture.store.indexes.list().length, 1);
  await assertWhole(fixture);
});

test('rmi of a platform gives up that one, and the index means another image that is here', async (t) => {
  const fixture = await newFixture(t);
  const images = await threePlatforms();
  const index = indexOf(images, { extras: true });
  await loaded(fixture.images, await indexArchive(index, 'multi:1'));
  const remove = (platform: string, force = true) =>
    fixture.images.remove('multi:1', { force, noPrune: false, platforms: [platform] });
  await assert.rejects(remove('linux/s390x', false), { kind: 'invalidArgument', message: /^Content will be removed/ });
  await assert.rejects(remove('linux/mips'), { kind: 'notFound', message: /does not provide .*linux\/mips/ });
  assert.deepEqual(await remove('linux/s390x'), [
    { Deleted: at(index.manifests, 0) },
    { Deleted: at(index.manifests, 3) },
  ]);
  await assertWhole(fixture);
  fixture.users.push({ id: 'cafe'.repeat(16), running: true });
  await assert.rejects(remove(`linux/${host}`), { kind: 'conflict', message: /cannot be forced/ });
  fixture.users.length = 0;
  assert.deepEqual((await remove(`linux/${host}`))[0], { Deleted: at(index.manifests, 1) });
  assert.equal((await fixture.images.resolve('multi:1')).id, idOf(at(images, 2)));
  assert.deepEqual(
    (await list(fixture))[0]?.Manifests?.map((manifest) => manifest.Available),
    [false, false, true, false, true],
  );
  await assertWhole(fixture);
  assert.deepEqual((await remove('linux/riscv64'))[0], { Untagged: 'multi:1' });
  await assertEmpty(fixture);
});

test('a layer that is foreign to one image of an archive and own to the next is unpacked for that', async (t) => {
  const fixture = await newFixture(t);
  const [foreign, own] = (await threePlatforms()) as [ArchiveImage, ArchiveImage];
  const swapped = { ...foreign, architecture: host };
  const one = indexOf([own, foreign]);
  const two = indexOf([swapped]);
  const archive = await indexArchive(
    { ...one, blobs: new Map([...one.blobs, ...two.blobs]) },
    'one:1',
    [],
    [{ index: two, name: 'two:1' }],
  );
  assert.deepEqual(await loaded(fixture.images, archive), ['Loaded image: one:1', 'Loaded image: two:1']);
  assert.equal((await fixture.images.resolve('two:1')).id, idOf(swapped));
  await assertWhole(fixture);
});

test('an index inside an index is kept and its image found; deep and broken ones are refused and leave nothing', async (t) => {
  const fixture = await newFixture(t);
  const images = await threePlatforms();
  const inner = indexOf(images);
  const outer = indexOfIndexes(inner);
  assert.deepEqual(await loaded(fixture.images, await indexArchive(outer, 'nested:1')), ['Loaded image: nested:1']);
  assert.equal((await fixture.images.resolve('nested:1')).id, idOf(at(images, 1)));
  await assertWhole(fixture);
  const files = await namesIn(await saved(fixture, 'nested:1'));
  for (const digest of outer.blobs.keys()) assert.ok(files.has(`blobs/sha256/${digest.slice(7)}`), digest);
  await fixture.store.settle();
  await fixture.images.remove('nested:1', whole);
  await assertEmpty(fixture);

  let deep = inner;
  for (let depth = 0; depth < 5; depth++) deep = indexOfIndexes(deep, indexOfIndexes(deep));
  const layerless = { layers: [], tags: [], architecture: 's390x' };
  const broken = indexOf([at(images, 1), { ...layerless, config: { Env: 'not a list' } as never }]);
  const cases: [BuiltIndex, RegExp][] = [
    [deep, /nested too deeply/],
    [broken, /"Env" of the image configuration is not a list/],
    [indexOf([], { extras: true }), /has no image for/],
    [indexOf([]), /has no image for/],
  ];
  for (const [index, message] of cases) {
    const archive = await indexArchive(index, 'bad:1');
    await assert.rejects(loaded(fixture.images, archive), { kind: 'invalidArgument', message });
    await assertEmpty(fixture);
  }
});
