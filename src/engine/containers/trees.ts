import type { Readable } from 'node:stream';
import { listChanges, packTree } from '#archive';
import type { Store } from '#store';

const kinds = { modified: 0, added: 1, deleted: 2 } as const;

/** What a container changed in its file system, as `docker diff` tells it; null when nothing. */
export async function containerChanges(store: Store, id: string): Promise<{ Path: string; Kind: 0 | 1 | 2 }[] | null> {
  const layers = store.containerLayers;
  const { LowerDir = '' } = layers.graphDriverData(id);
  const lowerDirs = LowerDir === '' ? [] : LowerDir.split(':');
  const changes = await listChanges({ upper: layers.upperDir(id), lowers: lowerDirs });
  return changes.length > 0 ? changes.map(({ path, kind }) => ({ Path: path, Kind: kinds[kind] })) : null;
}

/**
 * A container's whole file system as a tar, without what is mounted into it. One that is not `mounted` for a run is
 * mounted for the time being; hold its lock until the tar is read.
 */
export async function exportContainer(
  store: Store,
  id: string,
  options: { mounted: boolean; signal: AbortSignal },
): Promise<Readable> {
  const layers = store.containerLayers;
  const root = await layers.mount(id, { volatile: false });
  const tree = packTree({ root, mode: 'plain', signal: options.signal });
  if (!options.mounted) tree.once('close', () => void layers.unmount(id));
  return tree;
}
