import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDigest } from '#spec';
import { compileImageFilter, matchingNames } from './image-filter.ts';
import { toHistory, toImageInspect, type ImageView } from './wire.ts';

const view: ImageView = {
  id: parseDigest(`sha256:${'1'.repeat(64)}`),
  descriptor: { mediaType: 'm', digest: parseDigest(`sha256:${'3'.repeat(64)}`), size: 1 },
  config: {
    architecture: 'amd64',
    os: 'linux',
    created: '2024-01-01T00:00:00Z',
    config: { Labels: { tier: 'web' } },
    rootfs: { type: 'layers', diff_ids: [parseDigest(`sha256:${'2'.repeat(64)}`)] },
    history: [
      { created_by: 'ADD x', created: '2024-01-01T00:00:00Z' },
      { created_by: 'CMD sh', empty_layer: true },
    ],
  },
  repoTags: ['app/web:1'],
  repoDigests: [],
  parentId: '',
  sizeBytes: 7,
  lastTaggedAt: '0001-01-01T00:00:00Z',
  graphDriverData: null,
};

test('compileImageFilter understands every key', async () => {
  const matches = async (filters: Record<string, string[]>): Promise<boolean> =>
    (await compileImageFilter(new Map(Object.entries(filters)), { find: () => Promise.resolve(view) }))(view);
  assert.equal(await matches({ dangling: ['true'] }), false);
  assert.equal(await matches({ dangling: ['0'], label: ['tier=web', 'tier'] }), true);
  assert.equal(await matches({ 'label!': ['tier'] }), false);
  assert.equal(await matches({ before: ['x'] }), false);
  assert.equal(await matches({ until: ['2030-01-01'] }), true);
  assert.equal(await matches({ reference: ['app/*'] }), true);
  assert.equal(await matches({ reference: ['docker.io/app/web:1'] }), true);
  await assert.rejects(matches({ dangling: ['maybe'] }), /invalid filter 'dangling=maybe'/);
  await assert.rejects(matches({ size: ['1'] }), /invalid filter 'size'/);
});

test('matchingNames: patterns stay within a component and may leave the tag out', () => {
  const names = ['app/web:1', 'busybox:latest'];
  assert.deepEqual(matchingNames(names, ['busy*']), ['busybox:latest']);
  assert.deepEqual(matchingNames(names, ['*']), ['busybox:latest']);
  assert.deepEqual(matchingNames(names, ['*/web:1']), ['app/web:1']);
  assert.deepEqual(matchingNames(names, ['app/web:2']), []);
});

test('toHistory gives sizes to the entries that made a layer and the ID to the newest', () => {
  assert.deepEqual(
    toHistory(view, [7]).map(({ Id, Size, Tags }) => ({ Id, Size, Tags })),
    [
      { Id: view.id, Size: 0, Tags: ['app/web:1'] },
      { Id: '<missing>', Size: 7, Tags: null },
    ],
  );
});

test('toImageInspect fills zero values and leaves out what Docker leaves out', () => {
  const inspect = toImageInspect(view);
  assert.equal(inspect.Config?.Cmd, null);
  assert.equal('Variant' in inspect, false);
  assert.equal(inspect.RootFS.Layers?.length, 1);
});

test('an image with nothing but digests is listed both as dangling and as not', async () => {
  const digested = { ...view, repoTags: [], repoDigests: [`app/web@sha256:${'4'.repeat(64)}`] };
  for (const wanted of ['true', 'false']) {
    const matches = await compileImageFilter(new Map([['dangling', [wanted]]]), { find: () => Promise.resolve(view) });
    assert.equal(matches(digested), true);
    assert.equal(matches({ ...digested, repoDigests: [] }), wanted === 'true');
  }
});
