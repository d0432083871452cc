import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageSummary, ManifestSummary } from '#spec';
import { imageTree } from './image-tree.ts';

const digest = (letter: string): ManifestSummary['Descriptor']['digest'] =>
  `sha256:${letter.repeat(64)}` as ManifestSummary['Descriptor']['digest'];

function manifest(letter: string, more: Partial<ManifestSummary>): ManifestSummary {
  const Descriptor = { mediaType: 'm', digest: digest(letter), size: 1 };
  return { ID: digest(letter), Descriptor, Available: true, Size: { Content: 1, Total: 2 }, Kind: 'image', ...more };
}

function image(letter: string, more: Partial<ImageSummary>): ImageSummary {
  return {
    Id: digest(letter),
    ParentId: '',
    RepoTags: [],
    RepoDigests: [],
    Created: 1,
    Size: 2_010_000,
    SharedSize: -1,
    Labels: null,
    Containers: 0,
    ...more,
  };
}

const multi = image('a', {
  RepoTags: ['app:1', 'registry.example.com/app:1'],
  Created: 2,
  Manifests: [
    manifest('b', {
      Size: { Content: 2860, Total: 1_500_000 },
      ImageData: { Platform: { os: 'linux', architecture: 'amd64' }, Size: { Unpacked: 1 }, Containers: ['c'] },
    }),
    manifest('c', {
      Available: false,
      Size: { Content: 0, Total: 0 },
      ImageData: {
        Platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
        Size: { Unpacked: 0 },
        Containers: null,
      },
    }),
    manifest('d', { Kind: 'attestation', AttestationData: { For: digest('b') } }),
  ],
});

test('imageTree shows the platforms below the names, newest first, and leaves out what is no image', () => {
  const tree = imageTree([image('e', {}), multi], 80, (text) => text);
  assert.deepEqual(tree.split('\n'), [
    `${' '.repeat(63)}Info ->  U In Use`,
    '',
    'IMAGE                        ID             DISK USAGE   CONTENT SIZE   EXTRA',
    'registry.example.com/app:1',
    'app:1                        aaaaaaaaaaaa       2.01MB         2.86kB   U',
    '├─ linux/amd64               bbbbbbbbbbbb        1.5MB         2.86kB   U',
    '└─ linux/arm/v7              cccccccccccc           0B             0B',
    '',
    '<untagged>                   eeeeeeeeeeee       2.01MB             0B',
    '',
  ]);
});

test('imageTree leaves out columns of a narrow terminal and cuts names', () => {
  const tree = imageTree([multi], 34, (text) => text);
  assert.deepEqual(tree.split('\n').slice(2, 5), [
    'IMAGE                 ID',
    'registry.example.c…',
    'app:1                 aaaaaaaaaaaa',
  ]);
  assert.match(
    imageTree([multi], 80, (text) => `<${text}>`),
    /\n<app:1 +> {3}aaaa/,
  );
});
