import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ImageSummary, ProgressLine } from '#spec';
import { dockerArchive, idOf, layerOf, type ArchiveImage } from './archives.ts';
import { assertEmpty, assertWhole, loaded, never, newFixture, type ImageFixture } from './fixture.ts';

interface ImportOverrides {
  source?: string;
  repo?: string;
  tag?: string;
  message?: string;
  changes?: string[];
  platform?: string;
}

async function importTar(fixture: ImageFixture, tar: Uint8Array, overrides: ImportOverrides): Promise<ProgressLine[]> {
  const defaults = { source: '-', repo: '', tag: '', message: '', changes: [], platform: '' };
  const body = Readable.from([tar]);
  return await Array.fromAsync(fixture.images.import({ ...defaults, ...overrides, body, signal: never }));
}

test('import makes an image of a root filesystem, from the body or a URL', async (t) => {
  const fixture = await newFixture(t);
  const tar = await layerOf('etc-file', 'hello');
  const lines = await importTar(fixture, gzipSync(tar), {
    repo: 'root',
    tag: '1',
    message: 'made by hand',
    changes: ['CMD ["/bin/sh"]', 'ENV A=b', 'LABEL l=m'],
    platform: 'linux/arm64/v8',
  });
  const inspect = await fixture.images.inspect('root:1', { platform: '' });
  assert.deepEqual(lines.at(-1), { status: inspect.Id });
  assert.deepEqual(
    [
      inspect.Architecture,
      inspect.Comment,
      inspect.Config?.Cmd,
      inspect.Config?.Env,
      inspect.Config?.Labels,
      inspect.Size,
    ],
    ['arm64', 'made by hand', ['/bin/sh'], ['A=b'], { l: 'm' }, 5],
  );
  assert.deepEqual(
    fixture.events.map(({ action, attributes }) => [action, attributes['l']]),
    [
      ['tag', 'm'],
      ['import', 'm'],
    ],
  );
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/root.tar' ? 200 : 404;
    response.end(tar);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const fetched = await importTar(fixture, Buffer.alloc(0), { source: `127.0.0.1:${port}/root.tar`, repo: 'fetched' });
  assert.equal(fetched[0]?.status, 'Downloading from');
  assert.match(fetched.at(-1)?.status ?? '', /^sha256:/);
  const missing = await importTar(fixture, Buffer.alloc(0), { source: `http://127.0.0.1:${port}/none` });
  assert.match(missing.at(-1)?.errorDetail?.message ?? '', /status 404/);
  await assertWhole(fixture);
});

test('import reads xz and bzip2; an imported layer is kept plain', async (t) => {
  const fixture = await newFixture(t);
  const tar = await layerOf('etc-file', 'hello');
  for (const program of ['xz', 'bzip2']) {
    const compress = (input: Uint8Array): Buffer => execFileSync(program, ['-c'], { input });
    await importTar(fixture, compress(tar), { repo: program });
    const { RootFS } = await fixture.images.inspect(program, { platform: '' });
    assert.deepEqual(RootFS.Layers, [`sha256:${createHash('sha256').update(tar).digest('hex')}`]);
    const { id } = await fixture.images.resolve(program);
    assert.equal(fixture.store.images.layers(id)[0]?.blobDigest, RootFS.Layers?.[0]);
    await assertWhole(fixture);
  }
});

test('import refuses what it cannot use and leaves nothing', async (t) => {
  const fixture = await newFixture(t);
  const tar = await layerOf('a');
  const cases: [Uint8Array, ImportOverrides, RegExp][] = [
    [tar, { repo: 'Bad' }, /must be lowercase/],
    [tar, { repo: 'a', tag: 'not a tag' }, /invalid tag format/],
    [tar, { changes: ['RUN true'] }, /run is not a valid change command/],
    [tar, { source: 'file:///etc/passwd' }, /invalid import source/],
    [tar, { platform: 'what is this' }, /invalid platform/],
    [Buffer.from('no tar'.repeat(500)), {}, /tar/],
  ];
  for (const [bytes, overrides, message] of cases) {
    await assert.rejects(importTar(fixture, bytes, overrides), { kind: 'invalidArgument', message });
  }
  await assertEmpty(fixture);
});

test('tag names, moves and refuses', async (t) => {
  const fixture = await newFixture(t);
  const one: ArchiveImage = { layers: [await layerOf('a')], tags: ['one:1'] };
  const two: ArchiveImage = { layers: [await layerOf('b')], tags: ['two:1'] };
  await loaded(fixture.images, await dockerArchive([one, two]));
  await fixture.images.tag('one:1', 'localhost:5000/x', '');
  assert.equal((await fixture.images.resolve('localhost:5000/x')).id, idOf(one));
  await fixture.images.tag(idOf(two).slice(7, 20), 'localhost:5000/x:latest', '');
  assert.equal((await fixture.images.resolve('localhost:5000/x:latest')).id, idOf(two));
  assert.deepEqual(fixture.events.at(-1), {
    action: 'tag',
    id: idOf(two),
    attributes: { name: 'localhost:5000/x:latest' },
  });
  await assert.rejects(fixture.images.tag('gone', 'x', ''), {
    kind: 'notFound',
    message: 'No such image: gone:latest',
  });
  await assert.rejects(fixture.images.tag('one:1', 'UP', ''), { kind: 'invalidArgument', message: /lowercase/ });
  await assert.rejects(fixture.images.tag('one:1', `x@${idOf(one)}`, ''), {
    message: 'refusing to create a tag with a digest reference',
  });
});

test('images are found by every kind of reference', async (t) => {
  const fixture = await newFixture(t);
  const image: ArchiveImage = { layers: [await layerOf('a')], tags: ['busy:latest'] };
  await loaded(fixture.images, await dockerArchive([image]));
  const id = idOf(image);
  for (const ref of [
    'busy',
    'busy:latest',
    'docker.io/library/busy',
    id,
    id.slice(7),
    id.slice(7, 12),
    id.slice(0, 15),
  ]) {
    assert.equal((await fixture.images.resolve(ref)).id, id, ref);
  }
  const absent = 'f'.repeat(64);
  for (const [ref, message] of [
    ['none', 'No such image: none:latest'],
    ['busy:2', 'No such image: busy:2'],
    [absent, `No such image: sha256:${absent}`],
    [`busy@sha256:${absent}`, `No such image: busy@sha256:${absent}`],
  ] as const) {
    await assert.rejects(fixture.images.resolve(ref), { kind: 'notFound', message });
  }
  await assert.rejects(fixture.images.resolve('a b'), { kind: 'invalidArgument', message: 'invalid reference format' });
});

test('list filters, sorts, and counts what images share', async (t) => {
  const fixture = await newFixture(t);
  const base = await layerOf('base', '12345');
  const images: ArchiveImage[] = [
    { layers: [base], tags: ['old:1'], created: '2020-01-01T00:00:00Z' },
    {
      layers: [base, await layerOf('x')],
      tags: ['mid:1', 'mid:2'],
      created: '2021-01-01T00:00:00Z',
      config: { Labels: { a: 'b' } },
    },
    { layers: [await layerOf('y')], tags: [], created: '2022-01-01T00:00:00Z' },
  ];
  await loaded(fixture.images, await dockerArchive(images));
  const list = async (filters: Record<string, string[]>): Promise<ImageSummary[]> =>
    await fixture.images.list({ all: false, filters: new Map(Object.entries(filters)), sharedSize: true });
  const names = async (filters: Record<string, string[]>): Promise<string[]> =>
    (await list(filters)).map((image) => image.RepoTags.join(' '));
  assert.deepEqual(await names({}), ['', 'mid:1 mid:2', 'old:1']);
  assert.deepEqual(await names({ dangling: ['true'] }), ['']);
  assert.deepEqual(await names({ dangling: ['false'] }), ['mid:1 mid:2', 'old:1']);
  assert.deepEqual(await names({ label: ['a=b'] }), ['mid:1 mid:2']);
  assert.deepEqual(await names({ before: ['mid:1'] }), ['old:1']);
  assert.deepEqual(await names({ since: ['old:1'], dangling: ['false'] }), ['mid:1 mid:2']);
  assert.deepEqual(await names({ until: ['2020-06-01'] }), ['old:1']);
  assert.deepEqual(await names({ reference: ['mid:2', 'o*'] }), ['mid:2', 'old:1']);
  await assert.rejects(list({ before: ['none'] }), { message: 'No such image: none:latest' });
  await assert.rejects(list({ nonsense: ['1'] }), { kind: 'invalidArgument', message: "invalid filter 'nonsense'" });
  assert.deepEqual(
    (await list({})).map((image) => [image.Size, image.SharedSize]),
    [
      [1, 0],
      [6, 5],
      [5, 5],
    ],
  );
  const usage = await fixture.images.diskUsage();
  assert.deepEqual(
    usage.Images.map((image) => image.Containers),
    [0, 0, 0],
  );
  const blobs = await fixture.store.blobs.totalBytes();
  assert.equal(usage.LayersSize, blobs + 7);
});
