import { execFileSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  configOf,
  dockerArchive,
  idOf,
  layerOf,
  legacyArchive,
  ociArchive,
  sha256,
  tarOf,
  type ArchiveImage,
} from './archives.ts';
import { assertEmpty, assertWhole, loaded, loadLines, newFixture, type ImageFixture } from './fixture.ts';

async function readLayerFile(fixture: ImageFixture, ref: string, name: string): Promise<string> {
  const image = await fixture.images.resolve(ref);
  for (const dir of fixture.store.layers.lowerDirs(image.chainId)) {
    try {
      return readFileSync(join(dir, name), 'utf8');
    } catch {
      continue;
    }
  }
  throw new Error(`${name} is in no layer`);
}

test('load reads every form and compression to the same image', async (t) => {
  const layers = [await layerOf('a'), await layerOf('b', 'second')];
  const image: ArchiveImage = { layers, tags: ['app:1'] };
  const archives = {
    'docker-archive': await dockerArchive([image]),
    'docker-archive, layers gzip': await dockerArchive([{ ...image, compress: 'gzip' }]),
    'docker-archive, all gzip': gzipSync(await dockerArchive([image])),
    'docker-archive, all zstd': zstdCompressSync(await dockerArchive([image])),
    'docker-archive, layers xz': await dockerArchive([{ ...image, compress: 'xz' }]),
    'docker-archive, all xz': execFileSync('xz', ['-c'], { input: await dockerArchive([image]) }),
    'docker-archive, all bzip2': execFileSync('bzip2', ['-c'], { input: await dockerArchive([image]) }),
    'OCI layout': await ociArchive([image]),
    'OCI layout, layers gzip': await ociArchive([{ ...image, compress: 'gzip' }]),
    'OCI layout, layers zstd': await ociArchive([{ ...image, compress: 'zstd' }]),
  };
  for (const [name, archive] of Object.entries(archives)) {
    await t.test(name, async (inner) => {
      const fixture = await newFixture(inner);
      assert.deepEqual(await loaded(fixture.images, archive), ['Loaded image: app:1']);
      assert.equal((await fixture.images.resolve('app:1')).id, idOf(image));
      assert.equal(await readLayerFile(fixture, 'app:1', 'b'), 'second');
      assert.deepEqual(
        fixture.events.map(({ action }) => action),
        ['load'],
      );
      await assertWhole(fixture);
      await fixture.images.remove('app:1', { force: false, noPrune: false, platforms: [] });
      await assertEmpty(fixture);
    });
  }
});

test('load makes an image of every ancestor in the old form, and removing the last one takes them along', async (t) => {
  const fixture = await newFixture(t);
  const layers = [await layerOf('a'), await layerOf('b'), await layerOf('c')];
  assert.deepEqual(await loaded(fixture.images, await legacyArchive(layers, 'old', '1')), ['Loaded image: old:1']);
  const all = await fixture.images.list({ all: true, filters: new Map(), sharedSize: false });
  const shown = await fixture.images.list({ all: false, filters: new Map(), sharedSize: false });
  assert.deepEqual([all.length, shown.length], [3, 1]);
  const history = await fixture.images.history('old:1', { platform: '' });
  assert.deepEqual(
    history.map((entry) => entry.CreatedBy),
    ['/bin/sh -c step 2', '/bin/sh -c step 1', '/bin/sh -c step 0'],
  );
  const removed = await fixture.images.remove('old:1', { force: false, noPrune: false, platforms: [] });
  assert.deepEqual(
    removed.map((item) => Object.keys(item)[0]),
    ['Untagged', ...Array<string>(6).fill('Deleted')],
  );
  await assertEmpty(fixture);
});

test('load shares layers between images and follows links inside the archive', async (t) => {
  const fixture = await newFixture(t);
  const base = await layerOf('base');
  const images: ArchiveImage[] = [
    { layers: [base, await layerOf('x')], tags: ['x:1', 'x:2'] },
    { layers: [base], tags: [] },
  ];
  assert.deepEqual(await loaded(fixture.images, await dockerArchive(images)), [
    'Loaded image: x:1',
    'Loaded image: x:2',
    `Loaded image ID: ${images[1] ? idOf(images[1]) : ''}`,
  ]);
  assert.equal(fixture.store.layers.list().length, 2);
  const linked = { layers: [base, base], tags: ['linked:1'] };
  const config = configOf(linked);
  const archive = await tarOf([
    { name: 'one/layer.tar', content: base },
    { name: 'two/layer.tar', type: 'symlink', linkName: '../one/layer.tar' },
    { name: 'c.json', content: config },
    {
      name: 'manifest.json',
      content: JSON.stringify([
        { Config: 'c.json', RepoTags: ['linked:1'], Layers: ['one/layer.tar', 'two/layer.tar'] },
      ]),
    },
  ]);
  assert.deepEqual(await loaded(fixture.images, archive), ['Loaded image: linked:1']);
  await assertWhole(fixture);
});

test('load takes the image of the platform asked for, or of this machine', async (t) => {
  const fixture = await newFixture(t);
  const images = ['amd64', 'arm64', 's390x'].map((architecture): ArchiveImage => ({
    layers: [],
    tags: ['multi:1'],
    architecture,
  }));
  const archive = await ociArchive(images);
  await loadLines(fixture.images, archive, { platform: 'linux/s390x' });
  assert.equal((await fixture.images.inspect('multi:1', { platform: '' })).Architecture, 's390x');
  await loadLines(fixture.images, archive);
  const own = process.arch === 'arm64' ? 'arm64' : 'amd64';
  assert.equal((await fixture.images.inspect('multi:1', { platform: '' })).Architecture, own);
  await assert.rejects(loadLines(fixture.images, archive, { platform: '{"os":"linux","architecture":"riscv64"}' }), {
    message: /no image for linux\/riscv64/,
  });
  await assert.rejects(fixture.images.resolve('multi:1', 'linux/s390x'), {
    kind: 'notFound',
    message: /its platform \(linux\/.*\) does not match the specified platform \(linux\/s390x\)/,
  });
});

test('load reports progress, a moved tag, and says nothing of layers when quiet', async (t) => {
  const fixture = await newFixture(t);
  const large = await layerOf('large', 'x'.repeat(2_000_000));
  const lines = await loadLines(fixture.images, await dockerArchive([{ layers: [large], tags: ['p:1'] }]), {
    quiet: false,
  });
  const last = lines.findLast((line) => line.status === 'Loading layer');
  assert.deepEqual(last?.progressDetail, { current: large.length, total: large.length });
  assert.equal(last?.id, sha256(large).slice(0, 12));
  const id = (await fixture.images.resolve('p:1')).id;
  const moved = await loaded(fixture.images, await dockerArchive([{ layers: [], tags: ['p:1'] }]));
  assert.deepEqual(moved, [
    `The image p:1 already exists, renaming the old one with ID ${id} to empty string`,
    'Loaded image: p:1',
  ]);
});

test('load refuses broken and hostile archives with a clear error and leaves nothing', async (t) => {
  const fixture = await newFixture(t);
  const layer = await layerOf('a');
  const image: ArchiveImage = { layers: [layer], tags: ['bad:1'] };
  const entry = { Config: 'c.json', RepoTags: ['bad:1'], Layers: ['l'] };
  const files = [
    { name: 'c.json', content: configOf(image) },
    { name: 'l', content: layer },
  ];
  const withManifest = (manifest: unknown) =>
    tarOf([...files, { name: 'manifest.json', content: JSON.stringify(manifest) }]);
  const hex = sha256(layer);
  const escape = await tarOf([{ name: '../outside', content: 'x' }]);
  const cases: [string, Buffer, RegExp][] = [
    ['nothing in it', await tarOf([]), /unrecognized image format/],
    ['no tar', Buffer.from('this is no tar at all, but long enough to be looked at'.repeat(20)), /tar|archive/],
    ['truncated', (await dockerArchive([image])).subarray(0, 1500), /unexpected EOF/],
    [
      'manifest no JSON',
      await tarOf([...files, { name: 'manifest.json', content: '{' }]),
      /manifest.json is not valid JSON/,
    ],
    ['missing config', await withManifest([{ ...entry, Config: 'other.json' }]), /other.json is missing/],
    ['missing layer', await withManifest([{ ...entry, Layers: ['other'] }]), /other is missing/],
    ['layer count', await withManifest([{ ...entry, Layers: [] }]), /layers length mismatch: expected 1, got 0/],
    ['tag without tag', await withManifest([{ ...entry, RepoTags: ['bad'] }]), /invalid tag "bad"/],
    ['wrong diff ID', await withManifest([{ ...entry, Layers: ['c.json'] }]), /./],
    ['config path outside', await withManifest([{ ...entry, Config: '/etc/passwd' }]), /passwd is missing/],
    ['entry outside', await tarOf([{ name: '../evil', content: 'x' }]), /points outside of it/],
    ['absolute entry', await tarOf([{ name: '/etc/evil', content: 'x' }]), /points outside of it/],
    [
      'link outside',
      await tarOf([{ name: 'manifest.json', type: 'symlink', linkName: '/etc/passwd' }]),
      /unrecognized image format/,
    ],
    [
      'link loop',
      await tarOf([{ name: 'manifest.json', type: 'symlink', linkName: 'manifest.json' }]),
      /unrecognized image format/,
    ],
    ['a name twice', await tarOf([...files, { name: 'l', content: 'other' }]), /is there twice/],
    [
      'wrong blob digest',
      await ociArchive([image]).then((archive) => replaceOnce(archive, 'sh"]', 'hs"]')),
      /does not match its digest/,
    ],
    ['layer escapes', await dockerArchive([{ layers: [escape], tags: ['bad:1'] }]), /outside|escape|breakout/i],
    ['index without manifests', await tarOf([{ name: 'index.json', content: '{}' }]), /has no manifests/],
    [
      'missing blob',
      await tarOf([
        {
          name: 'index.json',
          content: JSON.stringify({
            manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: `sha256:${hex}`, size: 3 }],
          }),
        },
      ]),
      /blobs\/sha256\/[0-9a-f]+ is missing/,
    ],
  ];
  for (const [name, archive, message] of cases) {
    await t.test(name, async () => {
      await assert.rejects(loadLines(fixture.images, archive), { kind: 'invalidArgument', message });
      await assertEmpty(fixture);
    });
  }
});

function replaceOnce(bytes: Buffer, from: string, to: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(to, copy.indexOf(from));
  return copy;
}

test('load aborted on the way leaves nothing', async (t) => {
  const fixture = await newFixture(t);
  const controller = new AbortController();
  const archive = await dockerArchive([{ layers: [await layerOf('a', 'x'.repeat(3_000_000))], tags: ['a:1'] }]);
  async function* slowly(): AsyncGenerator<Buffer> {
    yield archive.subarray(0, 1_000_000);
    controller.abort();
    yield await Promise.resolve(archive.subarray(1_000_000));
  }
  const options = { quiet: true, platform: '', signal: controller.signal };
  await assert.rejects(Array.fromAsync(fixture.images.load(Readable.from(slowly()), options)));
  await assertEmpty(fixture);
});

test('two loads and removals at once leave a whole store', async (t) => {
  const fixture = await newFixture(t);
  const base = await layerOf('base', 'b'.repeat(300_000));
  const archives = await Promise.all(
    [1, 2, 3, 4].map(async (n) =>
      dockerArchive([
        { layers: [base, await layerOf(`f${n % 2}`)], tags: [`c${n}:1`], config: { User: String(n % 2) } },
      ]),
    ),
  );
  for (let round = 0; round < 4; round++) {
    await Promise.all(archives.map((archive) => loaded(fixture.images, archive)));
    await assertWhole(fixture);
    await Promise.allSettled([
      ...[1, 2, 3, 4].map((n) => fixture.images.remove(`c${n}:1`, { force: false, noPrune: false, platforms: [] })),
      loaded(fixture.images, archives[0] ?? Buffer.alloc(0)),
    ]);
  }
  await assertWhole(fixture);
});
