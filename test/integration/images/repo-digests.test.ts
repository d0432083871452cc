import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseDigest, type Digest } from '#spec';
import { Registrar, type NewImage } from '../../../src/engine/images/registrar.ts';
import {
  configOf,
  dockerArchive,
  idOf,
  indexOf,
  layerOf,
  sha256,
  type ArchiveImage,
  type BuiltIndex,
} from './archives.ts';
import { assertEmpty, assertWhole, loaded, newFixture, type ImageFixture } from './fixture.ts';

const REPOSITORY = 'registry.example.com/team/app';
const host = process.arch === 'arm64' ? 'arm64' : 'amd64';
const whole = { force: false, noPrune: false, platforms: [] };

/** Adds a manifest, and the index it was chosen from if there is one, as a pull by tag does. */
async function add(
  fixture: ImageFixture,
  image: ArchiveImage,
  came: { manifest: Buffer | undefined; index?: Buffer; digest: string },
  tags: readonly string[],
): Promise<string> {
  const { store } = fixture;
  using lease = store.leases.open();
  const signal = new AbortController().signal;
  const layers: NewImage['layers'][number][] = [];
  for (const layer of image.layers) {
    const bytes = image.compress === 'gzip' ? gzipSync(layer) : layer;
    const digest = await store.blobs.put(bytes, (pinned) => lease.pinBlob(pinned));
    const suffix = image.compress === 'gzip' ? '+gzip' : '';
    const blob = { digest, sizeBytes: bytes.length, mediaType: `application/vnd.oci.image.layer.v1.tar${suffix}` };
    layers.push({ diffId: parseDigest(`sha256:${sha256(layer)}`), blob });
  }
  const references = [...tags.map((tag) => `${REPOSITORY}:${tag}`), `${REPOSITORY}@${came.digest}`];
  const { manifest, index } = came;
  const added = await new Registrar(store).add(
    { config: configOf(image), layers, manifest, index, references },
    lease,
    signal,
  );
  return added.id;
}

/** Adds one platform of an index. */
async function pull(
  fixture: ImageFixture,
  image: ArchiveImage,
  index: BuiltIndex,
  position: number,
  tags: readonly string[] = ['1'],
): Promise<string> {
  const manifest = index.blobs.get(index.manifests[position] ?? '');
  return await add(fixture, image, { manifest, index: index.bytes, digest: index.digest }, tags);
}

async function platforms(cmd = 'sh'): Promise<ArchiveImage[]> {
  return await Promise.all(
    [host, 's390x'].map(async (architecture) => ({
      layers: [await layerOf(architecture)],
      tags: [],
      architecture,
      config: { Cmd: [cmd] },
    })),
  );
}

async function names(fixture: ImageFixture, ref: string): Promise<[string[], string[]]> {
  const { RepoTags, RepoDigests } = await fixture.images.inspect(ref, { platform: '' });
  return [RepoTags, RepoDigests];
}

test('a platform pulled later joins the index of the name, which means the host as soon as it is there', async (t) => {
  const fixture = await newFixture(t);
  const [own, foreign] = (await platforms()) as [ArchiveImage, ArchiveImage];
  const index = indexOf([own, foreign]);
  assert.equal(await pull(fixture, foreign, index, 1), idOf(foreign));
  assert.equal((await fixture.images.resolve(`${REPOSITORY}:1`)).id, idOf(foreign));
  await assert.rejects(fixture.images.resolve(`${REPOSITORY}:1`, `linux/${host}`), { kind: 'notFound' });
  await pull(fixture, own, index, 0);
  for (const ref of [`${REPOSITORY}:1`, `${REPOSITORY}@${index.digest}`, `${REPOSITORY}@${index.manifests[0]}`]) {
    assert.equal((await fixture.images.resolve(ref)).id, idOf(own), ref);
  }
  assert.equal((await fixture.images.resolve(`${REPOSITORY}@${index.manifests[1]}`)).id, idOf(foreign));
  assert.equal((await fixture.images.resolve(`${REPOSITORY}:1`, 'linux/s390x')).id, idOf(foreign));
  const rows = await fixture.images.list({ all: true, filters: new Map(), sharedSize: false });
  assert.deepEqual(
    rows.map(({ RepoTags, RepoDigests }) => [RepoTags, RepoDigests]),
    [[[`${REPOSITORY}:1`], [`${REPOSITORY}@${index.digest}`]]],
  );
  await assertWhole(fixture);
  await fixture.images.remove(`${REPOSITORY}:1`, whole);
  await assertEmpty(fixture);
});

test('a digest goes with the last tag of its repository, and stays with the others', async (t) => {
  const fixture = await newFixture(t);
  const [own] = (await platforms()) as [ArchiveImage];
  const index = indexOf([own]);
  const digest = `${REPOSITORY}@${index.digest}`;
  const id = await pull(fixture, own, index, 0);
  await fixture.images.tag(`${REPOSITORY}:1`, REPOSITORY, 'b');
  await fixture.images.tag(`${REPOSITORY}:1`, 'plain', '1');
  assert.deepEqual(await fixture.images.remove(`${REPOSITORY}:1`, whole), [{ Untagged: `${REPOSITORY}:1` }]);
  assert.deepEqual(await names(fixture, 'plain:1'), [['plain:1', `${REPOSITORY}:b`], [digest]]);
  assert.deepEqual(await fixture.images.remove(`${REPOSITORY}:b`, whole), [
    { Untagged: `${REPOSITORY}:b` },
    { Untagged: digest },
  ]);
  assert.deepEqual(await names(fixture, 'plain:1'), [['plain:1'], []]);
  await assert.rejects(fixture.images.resolve(digest), { kind: 'notFound', message: `No such image: ${digest}` });
  const removed = await fixture.images.remove('plain:1', whole);
  assert.deepEqual(removed.slice(0, 2), [{ Untagged: 'plain:1' }, { Deleted: id }]);
  await assertEmpty(fixture);
});

test('an image that only has a digest is removed by it, and by its ID with all names', async (t) => {
  const fixture = await newFixture(t);
  const [own] = (await platforms()) as [ArchiveImage];
  const index = indexOf([own]);
  const digest = `${REPOSITORY}@${index.digest}`;
  const id = await pull(fixture, own, index, 0, []);
  const find = async (...filter: [string, string[]]): Promise<string[]> =>
    (await fixture.images.list({ all: false, filters: new Map([filter]), sharedSize: false })).map((row) => row.Id);
  assert.deepEqual(await find('dangling', ['true']), [id]);
  assert.deepEqual(await find('dangling', ['false']), [id]);
  assert.deepEqual(await find('reference', [REPOSITORY]), [id]);
  assert.deepEqual(await find('reference', [digest]), [id]);
  await fixture.images.tag(digest, REPOSITORY, 'z');
  assert.deepEqual(await fixture.images.remove(digest, whole), [{ Untagged: digest }]);
  assert.deepEqual(await names(fixture, `${REPOSITORY}:z`), [[`${REPOSITORY}:z`], []]);
  await fixture.images.remove(`${REPOSITORY}:z`, whole);
  await pull(fixture, own, index, 0);
  const removed = await fixture.images.remove(id.slice(7, 19), whole);
  assert.deepEqual(removed.slice(0, 3), [{ Untagged: `${REPOSITORY}:1` }, { Untagged: digest }, { Deleted: id }]);
  await assertEmpty(fixture);
});

test('a tag that moves leaves the digest to the image before, which a prune then takes', async (t) => {
  const fixture = await newFixture(t);
  const [first] = (await platforms('a')) as [ArchiveImage];
  const [second] = (await platforms('b')) as [ArchiveImage];
  const id = await pull(fixture, first, indexOf([first]), 0);
  await pull(fixture, second, indexOf([second]), 0);
  assert.deepEqual(await names(fixture, id), [[], [`${REPOSITORY}@${indexOf([first]).digest}`]]);
  const { ImagesDeleted } = await fixture.images.prune(new Map());
  assert.deepEqual(ImagesDeleted?.slice(0, 2), [
    { Untagged: `${REPOSITORY}@${indexOf([first]).digest}` },
    { Deleted: id },
  ]);
  await assertWhole(fixture);
});

test('two names whose indexes share a platform: removing one keeps what the other needs', async (t) => {
  const fixture = await newFixture(t);
  const [, foreign] = (await platforms()) as [ArchiveImage, ArchiveImage];
  const [other] = (await platforms('other')) as [ArchiveImage];
  const one = indexOf([foreign]);
  const two = indexOf([other, foreign]);
  await pull(fixture, foreign, one, 0, ['one']);
  await pull(fixture, foreign, two, 1, ['two']);
  await pull(fixture, other, two, 0, ['two']);
  assert.deepEqual(await fixture.images.remove(`${REPOSITORY}:one`, whole), [
    { Untagged: `${REPOSITORY}:one` },
    { Untagged: `${REPOSITORY}@${one.digest}` },
  ]);
  assert.deepEqual(fixture.store.indexes.list(), [two.digest as Digest]);
  assert.equal((await fixture.images.resolve(`${REPOSITORY}:two`, 'linux/s390x')).id, idOf(foreign));
  await assertWhole(fixture);
  await fixture.images.remove(`${REPOSITORY}:two`, whole);
  await assertEmpty(fixture);
});

test('an image that was loaded and is pulled then has the manifest of the registry, until another registry has it too', async (t) => {
  const fixture = await newFixture(t);
  const image: ArchiveImage = { layers: [await layerOf('a')], tags: ['loaded:1'] };
  await loaded(fixture.images, await dockerArchive([image]));
  const compressed: ArchiveImage = { ...image, compress: 'gzip' };
  const [digest = ''] = indexOf([compressed]).manifests;
  const manifest = indexOf([compressed]).blobs.get(digest);
  assert.equal(await add(fixture, compressed, { manifest, digest }, ['1']), idOf(image));
  await fixture.store.collect();
  await assertWhole(fixture);
  const descriptor = async (): Promise<string | undefined> =>
    (await fixture.images.inspect('loaded:1', { platform: '' })).Descriptor?.digest;
  assert.equal(await descriptor(), digest);
  await loaded(fixture.images, await dockerArchive([image]));
  assert.equal(await descriptor(), digest, 'a load without a manifest changes nothing');
  const [plain = ''] = indexOf([image]).manifests;
  await add(fixture, image, { manifest: indexOf([image]).blobs.get(plain), digest: plain }, ['2']);
  assert.equal(await descriptor(), digest, 'its digest is a name');
  await fixture.store.collect();
  await assertWhole(fixture);
});
