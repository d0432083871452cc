import { formatRfc3339Nano, nowNano } from '#lib';
import { decompress, detectCompression, type Compression } from '#archive';
import type { Digest, oci } from '#spec';
import type { IngestedFile, Lease, Store, UnpackedLayer } from '#store';
import { MEDIA_TYPES, type AddedImage, type NewLayer, type Registrar } from './registrar.ts';

const layerTypes: Partial<Record<Compression, string>> = {
  gzip: MEDIA_TYPES.layerGzip,
  zstd: MEDIA_TYPES.layerZstd,
};

/** The media type of a layer's blob. */
export function layerMediaType(compression: Compression): string {
  return layerTypes[compression] ?? MEDIA_TYPES.layer;
}

/** An image with one more layer than its parent, made from a tar stream (`import`, `commit`). */
export interface LayeredImage {
  /** The layer's tar, compressed or plain. */
  tar: AsyncIterable<Uint8Array>;
  parent: { id: Digest; config: oci.ImageConfig; layers: readonly NewLayer[] } | undefined;
  platform: oci.Platform;
  run: oci.RunConfig;
  author: string;
  comment: string;
  createdBy: string;
  /** Full names to give it. */
  references: readonly string[];
}

async function ingest(
  store: Store,
  tar: AsyncIterable<Uint8Array>,
): Promise<{ file: IngestedFile; compression: Compression }> {
  await using writer = await store.blobs.createWriter();
  let head: Buffer = Buffer.alloc(0);
  // Registries know no other compressions than these two.
  for await (const chunk of decompress(tar, { keep: ['gzip', 'zstd'] }) as AsyncIterable<Buffer>) {
    if (head.length < 8) head = Buffer.concat([head, chunk.subarray(0, 8)]);
    await writer.write(chunk);
  }
  return { file: await writer.finish(), compression: detectCompression(head) };
}

function makeConfig(image: LayeredImage, diffId: Digest, created: string): oci.ImageConfig {
  const { parent, platform } = image;
  const before = parent?.config.history ?? parent?.config.rootfs.diff_ids.map(() => ({})) ?? [];
  const history: oci.ImageHistory = {
    created,
    ...(image.author === '' ? {} : { author: image.author }),
    ...(image.createdBy === '' ? {} : { created_by: image.createdBy }),
    ...(image.comment === '' ? {} : { comment: image.comment }),
  };
  return {
    ...(image.author === '' ? {} : { author: image.author }),
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    ...(image.comment === '' ? {} : { comment: image.comment }),
    config: image.run,
    created,
    history: [...before, history],
    os: platform.os,
    rootfs: { type: 'layers', diff_ids: [...(parent?.config.rootfs.diff_ids ?? []), diffId] },
  };
}

/** Stores the tar as a layer on the parent's and adds the image. */
export async function addLayeredImage(
  store: Store,
  registrar: Registrar,
  image: LayeredImage,
  lease: Lease,
  signal: AbortSignal,
): Promise<AddedImage> {
  await using undo = new AsyncDisposableStack();
  const { file, compression } = await ingest(store, image.tar);
  undo.defer(() => store.blobs.discard(file));
  const [unpacked, synced] = await settleBoth(store.layers.unpack(file.path, signal), store.blobs.sync(file));
  undo.use(unpacked);
  const { digest, sizeBytes } = file;
  const layer: NewLayer = {
    diffId: unpacked.result.diffId,
    blob: { digest, sizeBytes, mediaType: layerMediaType(compression) },
    file: () => Promise.resolve(synced),
    unpacked: () => Promise.resolve(unpacked),
  };
  const config = makeConfig(image, layer.diffId, formatRfc3339Nano(nowNano()));
  const layers = [...(image.parent?.layers ?? []), layer];
  const bytes = Buffer.from(JSON.stringify(config));
  return await registrar.add(
    { config: bytes, layers, parentId: image.parent?.id, references: image.references },
    lease,
    signal,
  );
}

/** Waits for both, even when one fails, so that nothing goes on behind the caller's back. */
async function settleBoth(
  unpacking: Promise<UnpackedLayer>,
  syncing: Promise<IngestedFile>,
): Promise<[UnpackedLayer, IngestedFile]> {
  await Promise.allSettled([unpacking, syncing]);
  return [await unpacking, await syncing];
}
