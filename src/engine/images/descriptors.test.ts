import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDigest, type oci } from '#spec';
import type { KeptManifest } from '#store';
import { attestedManifest, decodeDescriptor, decodeIndex, kindOf } from './descriptors.ts';
import { chooseMeant } from './registrar.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`);

function descriptor(letter: string, more: Partial<oci.Descriptor> = {}): oci.Descriptor {
  return { mediaType: MANIFEST, digest: digestOf(letter), size: 2, ...more };
}

test('decodeDescriptor keeps what others wrote and refuses what names no content', () => {
  const raw = {
    ...descriptor('a', { artifactType: 'x/y', annotations: { k: 'v' }, urls: ['https://registry.example.com/a'] }),
    platform: { architecture: 'arm', os: 'linux', variant: 'v7', 'os.version': '1' },
  };
  assert.deepEqual(decodeDescriptor(raw), raw);
  assert.deepEqual(decodeDescriptor({ ...raw, annotations: { k: 'v', n: 1 } }).annotations, { k: 'v' });
  for (const bad of [null, 7, {}, { ...raw, size: -1 }, { ...raw, size: 1.5 }, { ...raw, digest: 'sha256:aa' }]) {
    assert.throws(() => decodeDescriptor(bad), /no valid digest or size/);
  }
});

test('kindOf tells images from what lies beside them', () => {
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': digestOf('a'),
  };
  assert.equal(kindOf(descriptor('a')), 'image');
  assert.equal(kindOf(descriptor('a', { mediaType: 'application/vnd.docker.distribution.manifest.v2+json' })), 'image');
  assert.equal(kindOf(descriptor('b', { annotations })), 'attestation');
  assert.equal(attestedManifest(descriptor('b', { annotations })), digestOf('a'));
  assert.equal(kindOf(descriptor('c', { artifactType: 'application/vnd.example.thing' })), 'unknown');
  assert.equal(kindOf(descriptor('c', { artifactType: 'application/vnd.oci.image.config.v1+json' })), 'image');
  assert.equal(kindOf(descriptor('d', { mediaType: 'application/vnd.oci.image.index.v1+json' })), 'unknown');
  assert.equal(kindOf(descriptor('e', { mediaType: '' })), 'unknown');
});

test('decodeIndex lists each manifest once, in order, and bounds how many', () => {
  const bytes = (manifests: unknown): Buffer => Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  const entries = decodeIndex(
    bytes([descriptor('b'), descriptor('a'), descriptor('b', { annotations: { again: 'x' } })]),
  );
  assert.deepEqual(
    entries.map((entry) => entry.manifestDigest),
    [digestOf('b'), digestOf('a')],
  );
  assert.deepEqual(decodeIndex(bytes([])), []);
  assert.throws(() => decodeIndex(bytes(undefined)), /has no manifests/);
  assert.throws(() => decodeIndex(bytes(Array(1001).fill(descriptor('a')))), /too many manifests/);
  assert.throws(() => decodeIndex(Buffer.from('[]')), /not a JSON object/);
});

test('an index means the host, else what it meant before, else the first', () => {
  const entry = (letter: string, architecture: string): KeptManifest => ({
    manifestDigest: digestOf(letter),
    kind: 'image',
    descriptor: descriptor(letter, { platform: { os: 'linux', architecture } }),
    imageId: digestOf(letter),
    isHere: true,
  });
  const [arm, amd, s390x] = [entry('a', 'arm64'), entry('b', 'amd64'), entry('c', 's390x')];
  const host = { os: 'linux', architecture: 'amd64' };
  assert.equal(chooseMeant([arm, amd, s390x], host, digestOf('c')), amd);
  assert.equal(chooseMeant([arm, s390x], host, digestOf('c')), s390x);
  assert.equal(chooseMeant([arm, s390x], host, digestOf('b')), arm);
  assert.equal(chooseMeant([], host, undefined), undefined);
});
