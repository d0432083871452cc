import type { Compression } from '#archive';
import type { Digest } from '#spec';
import { invalidImageArchive } from '../errors.ts';
import { MEDIA_TYPES, type NewLayer, type NewManifest } from '../registrar.ts';
import type { SpooledFile } from './spool.ts';

/** An image found in an archive. */
export interface ArchivedImage {
  config: Buffer;
  layers: NewLayer[];
  /** The manifest it came with; undefined where the archive's form has none. */
  manifest?: Buffer | undefined;
  /** The index it was chosen from, and what else of it the archive has. */
  index?: Buffer | undefined;
  kept?: readonly NewManifest[] | undefined;
  /** Full names. */
  references: string[];
  /** The image before it in the same archive, by ID. */
  parentId?: Digest | undefined;
  /** Not announced: there only to be a parent. */
  isIntermediate?: boolean;
}

const layerTypes: Partial<Record<Compression, string>> = {
  plain: MEDIA_TYPES.layer,
  gzip: MEDIA_TYPES.layerGzip,
  zstd: MEDIA_TYPES.layerZstd,
  xz: `${MEDIA_TYPES.layer}+xz`,
  bzip2: `${MEDIA_TYPES.layer}+bzip2`,
};

/** A layer from the archive's file. @param mediaType - what the manifest calls it, if there is one. */
export function archivedLayer(spooled: SpooledFile, diffId: Digest, mediaType?: string): NewLayer {
  const { digest, sizeBytes } = spooled.file;
  const type = mediaType ?? layerTypes[spooled.compression] ?? MEDIA_TYPES.layer;
  return {
    diffId,
    blob: { digest, sizeBytes, mediaType: type },
    file: () => spooled.settled(),
    unpacked: () => spooled.takeUnpacked(),
  };
}

/** @throws invalidArgument with Docker's text when a config and its list of layers disagree. */
export function checkLayerCount(diffIds: readonly Digest[], layers: readonly unknown[]): void {
  if (diffIds.length === layers.length) return;
  throw invalidImageArchive(
    `invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${layers.length}`,
  );
}
