import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#errors';
import { parsePlatform, type Digest } from '#spec';
import { chooseEntries, runnablePlatforms, shownPlatform } from './choose.ts';
import { decodeManifest, isManifestRefusal, type IndexEntry } from './manifest.ts';

const digest = `sha256:${'1'.repeat(64)}` as Digest;

function entry(platform: string | undefined, isAttestation = false): IndexEntry {
  return {
    mediaType: 'm',
    digest,
    sizeBytes: 1,
    isAttestation,
    platform: platform === undefined ? undefined : parsePlatform(platform),
  };
}

function chosen(offered: readonly (string | undefined)[], wanted: string): (string | undefined)[] {
  return chooseEntries(
    offered.map((platform) => entry(platform)),
    parsePlatform(wanted),
  ).map(({ platform }) => platform && shownPlatform(platform));
}

test('a processor takes its own variant first, then older ones, never newer ones', () => {
  assert.deepEqual(chosen(['linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6'], 'linux/arm/v6'), [
    'linux/arm/v6',
    'linux/arm/v5',
  ]);
  assert.deepEqual(chosen(['linux/amd64', 'linux/arm64'], 'linux/arm64/v8'), ['linux/arm64/v8']);
  assert.deepEqual(chosen(['linux/386', 'linux/amd64'], 'linux/amd64'), ['linux/amd64', 'linux/386']);
  assert.deepEqual(chosen(['linux/s390x', 'windows/amd64'], 'linux/amd64'), []);
  assert.deepEqual(runnablePlatforms(parsePlatform('linux/riscv64')), ['linux/riscv64']);
});

test('what names no platform comes last, and attestations never', () => {
  assert.deepEqual(chosen([undefined, 'linux/amd64'], 'linux/amd64'), ['linux/amd64', undefined]);
  assert.deepEqual(chooseEntries([entry('linux/amd64', true)], parsePlatform('linux/amd64')), []);
});

function decoded(document: unknown, mediaType = 'application/vnd.oci.image.manifest.v1+json'): unknown {
  const bytes = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
  return decodeManifest(bytes, mediaType, 'docker.io/library/x:1');
}

test('decodeManifest refuses what is no image in the words of Docker', () => {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 3 };
  assert.deepEqual(decoded({ schemaVersion: 2, config, layers: [layer] }), {
    kind: 'image',
    config: { mediaType: config.mediaType, digest, sizeBytes: 2 },
    layers: [{ mediaType: layer.mediaType, digest, sizeBytes: 3 }],
  });
  const refusals: [unknown, RegExp][] = [
    ['not json', /^unsupported manifest format$/],
    [
      { config: { ...config, mediaType: 'application/vnd.x' }, layers: [] },
      /^Encountered remote "application\/vnd\.x"/,
    ],
    [{ config, layers: [{ ...layer, mediaType: `${layer.mediaType}+encrypted` }] }, /^unsupported media type /],
    [{ config, layers: [{ ...layer, size: -1 }] }, /has no valid size$/],
    [{ config: { ...config, size: 1e9 }, layers: [] }, /configuration is larger/],
    [{ config, layers: Array.from({ length: 1001 }, () => layer) }, /more than 1000 layers/],
    [{ mediaType: 'application/vnd.oci.image.index.v1+json' }, /it has no manifests$/],
  ];
  for (const [document, message] of refusals) {
    assert.throws(
      () => decoded(document),
      (error) => {
        assert.ok(error instanceof EngineError && isManifestRefusal(error));
        assert.match(error.message, message);
        return true;
      },
    );
  }
  assert.throws(
    () => decoded({ schemaVersion: 1 }),
    /schema 1 support has been removed\. Suggest the author of docker\.io\/library\/x:1/,
  );
});
