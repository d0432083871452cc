import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listContents, parseManifest } from './manifest-content.ts';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const layer = 'application/vnd.oci.image.layer.v1.tar+gzip';
const encode = (value: object): Buffer => Buffer.from(JSON.stringify(value));

const image = {
  schemaVersion: 2,
  config: { mediaType: 'application/x.config', digest: digest('a'), size: 2 },
  layers: [
    { mediaType: layer, digest: digest('b'), size: 3 },
    { mediaType: layer, digest: digest('b'), size: 3 },
    { mediaType: layer, digest: digest('c'), size: 4, urls: ['https://registry.example.com/c'] },
    { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', digest: digest('d'), size: 4 },
  ],
};

test('parseManifest: config and own layers are needed once each, foreign layers are not', () => {
  const content = parseManifest(encode(image), `${ociManifest}; charset=utf-8`);
  assert.deepEqual(content.blobs, [digest('a'), digest('b')]);
  assert.equal(content.artifactType, 'application/x.config');
});

test('parseManifest: the type comes from the header, else from inside, else from the shape', () => {
  assert.equal(parseManifest(encode({ ...image, mediaType: ociManifest }), undefined).mediaType, ociManifest);
  assert.equal(parseManifest(encode({ schemaVersion: 2, manifests: [] }), '').mediaType, ociIndex);
  assert.throws(() => parseManifest(encode({ ...image, mediaType: ociManifest }), ociIndex), /it was sent as/);
});

test('parseManifest: indexes need their manifests; null lists are empty ones', () => {
  const index = {
    schemaVersion: 2,
    manifests: [{ mediaType: ociManifest, digest: digest('a'), size: 1 }],
    subject: image.config,
  };
  const content = parseManifest(encode(index), ociIndex);
  assert.deepEqual([content.manifests, content.subject, content.artifactType], [[digest('a')], digest('a'), undefined]);
  assert.deepEqual(parseManifest(encode({ schemaVersion: 2, manifests: null }), ociIndex).manifests, []);
});

test('parseManifest: refuses bad digests, sizes, mixtures and bytes that are no UTF-8', () => {
  for (const bad of [
    { ...image, config: { ...image.config, digest: 'sha256:x' } },
    { ...image, config: { ...image.config, size: -1 } },
    { ...image, config: { ...image.config, size: 1.5 } },
    { ...image, manifests: [] },
    { ...image, schemaVersion: 1 },
    { ...image, layers: 'none' },
    { ...image, annotations: { a: 1 } },
  ]) {
    assert.throws(() => parseManifest(encode(bad), ociManifest), { code: 'MANIFEST_INVALID' });
  }
  assert.throws(() => parseManifest(Buffer.from([0xff, 0xfe]), ociManifest), { code: 'MANIFEST_INVALID' });
});

test('listContents names everything with its length', () => {
  assert.deepEqual(
    listContents(encode(image)).map(({ sizeBytes }) => sizeBytes),
    [2, 3, 3, 4, 4],
  );
});
