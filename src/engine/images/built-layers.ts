import { open } from 'node:fs/promises';
import { detectCompression, MAGIC_BYTES } from '#archive';
import type { ChainId } from '#spec';
import type { Store } from '#store';
import { layerMediaType } from './new-layer-image.ts';
import type { NewLayer } from './registrar.ts';

/** Layers of the store as an image lists them. A build's own blobs are plain; one that was pulled before is as it came. */
export async function builtLayers(store: Store, chains: readonly ChainId[]): Promise<NewLayer[]> {
  return await Promise.all(
    chains.map(async (chainId) => {
      const { diffId, blobDigest: digest } = store.layers.get(chainId);
      const mediaType = layerMediaType(detectCompression(await readHead(store.blobs.path(digest))));
      return { diffId, blob: { digest, sizeBytes: store.blobs.sizeBytes(digest), mediaType } };
    }),
  );
}

async function readHead(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}
