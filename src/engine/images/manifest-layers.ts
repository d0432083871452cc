import type { Digest, oci } from '#spec';
import type { Store } from '#store';
import { decodeDescriptor } from './descriptors.ts';
import { MAX_JSON_BYTES, parseJsonObject } from './json.ts';

/** The layers that a stored manifest lists, from the bottom. */
export async function manifestLayers(store: Store, manifest: Digest): Promise<oci.Descriptor[]> {
  const { layers } = parseJsonObject(await store.blobs.read(manifest, MAX_JSON_BYTES), `manifest ${manifest}`);
  return Array.isArray(layers) ? layers.map(decodeDescriptor) : [];
}
