import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readTar } from '#archive';
import { dockerArchive, idOf, layerOf, ociArchive, sha256, type ArchiveImage } from './archives.ts';
import { assertEmpty, assertWhole, loaded, never, newFixture, type ImageFixture } from './fixture.ts';

async function save(fixture: ImageFixture, refs: string[]): Promise<Buffer> {
  const stream = await fixture.images.save(refs, { platform: '', signal: never });
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}

async function filesOf(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const entry of readTar(Readable.from([archive]))) {
    if (entry.header.type === 'file') files.set(entry.header.name, await entry.bytes(10_000_000));
  }
  return files;
}

function parsed(files: Map<string, Buffer>, name: string): unknown {
  return JSON.parse(String(files.get(name)));
}

test("save writes an OCI layout with Docker's files beside it, plain layers whatever came in", async (t) => {
  const fixture = await newFixture(t);
  const layer = await layerOf('a', 'content');
  const image: ArchiveImage = { layers: [layer], tags: ['app:1'] };
  await loaded(fixture.images, await dockerArchive([{ ...image, compress: 'gzip' }]));
  await fixture.images.tag('app:1', 'registry.example.com/x/app', '2');
  const archive = await save(fixture, ['app:1', 'registry.example.com/x/app:2']);
  const files = await filesOf(archive);
  for (const [name, content] of files) {
    if (name.startsWith('blobs/')) assert.equal(name, `blobs/sha256/${sha256(content)}`);
  }
  assert.deepEqual(parsed(files, 'oci-layout'), { imageLayoutVersion: '1.0.0' });
  const [entry] = parsed(files, 'manifest.json') as { Config: string; RepoTags: string[]; Layers: string[] }[];
  assert.equal(entry?.Config, `blobs/sha256/${idOf(image).slice(7)}`);
  assert.deepEqual(entry.RepoTags, ['app:1', 'registry.example.com/x/app:2']);
  assert.deepEqual(entry.Layers, [`blobs/sha256/${sha256(layer)}`]);
  assert.deepEqual(parsed(files, 'repositories'), {
    app: { '1': sha256(layer) },
    'registry.example.com/x/app': { '2': sha256(layer) },
  });
  const index = parsed(files, 'index.json') as { manifests: { annotations: Record<string, string> }[] };
  assert.deepEqual(
    index.manifests.map((manifest) => manifest.annotations['io.containerd.image.name']),
    ['docker.io/library/app:1', 'registry.example.com/x/app:2'],
  );
});

test('what save writes, load reads back as the same images', async (t) => {
  const from = await newFixture(t);
  const base = await layerOf('base');
  const images: ArchiveImage[] = [
    { layers: [base, await layerOf('x')], tags: ['x:1', 'x:2'] },
    { layers: [base], tags: ['y:1'] },
    { layers: [], tags: ['empty:1'] },
  ];
  await loaded(from.images, await dockerArchive(images));
  const archive = await save(from, ['x', 'y:1', 'empty']);
  assert.ok(archive.equals(await save(from, ['x', 'y:1', 'empty'])), 'the same images give the same bytes');
  const to = await newFixture(t);
  assert.deepEqual(await loaded(to.images, archive), [
    'Loaded image: x:1',
    'Loaded image: x:2',
    'Loaded image: y:1',
    'Loaded image: empty:1',
  ]);
  for (const image of images) assert.equal((await to.images.resolve(image.tags[0] ?? '')).id, idOf(image));
  await assertWhole(to);
});

test('save by ID writes no names, and errors come before the stream', async (t) => {
  const fixture = await newFixture(t);
  const image: ArchiveImage = { layers: [await layerOf('a')], tags: ['app:1'] };
  await loaded(fixture.images, await ociArchive([image]));
  const files = await filesOf(await save(fixture, [idOf(image).slice(7, 19)]));
  const [entry] = parsed(files, 'manifest.json') as { RepoTags: null }[];
  assert.equal(entry?.RepoTags, null);
  assert.equal(files.has('repositories'), false);
  await assert.rejects(save(fixture, ['app:1', 'nothing:1']), {
    kind: 'notFound',
    message: 'No such image: nothing:1',
  });
});

test('an image removed while it is being saved is written whole, and then gone', async (t) => {
  const fixture = await newFixture(t);
  const image: ArchiveImage = { layers: [await layerOf('a', 'x'.repeat(3_000_000))], tags: ['app:1'] };
  await loaded(fixture.images, await dockerArchive([image]));
  const stream = await fixture.images.save(['app:1'], { platform: '', signal: never });
  await fixture.images.remove('app:1', { force: false, noPrune: false, platforms: [] });
  const files = await filesOf(Buffer.concat((await stream.toArray()) as Buffer[]));
  assert.equal(files.size, 7);
  for (let tries = 0; tries < 100 && (await fixture.store.blobs.list()).length > 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await assertEmpty(fixture);
});
