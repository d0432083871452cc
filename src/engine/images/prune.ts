import { EngineError, isKind } from '#errors';
import { formatReference, parseReference, type DeleteResponseItem, type PruneImagesResponse } from '#spec';
import type { ImageRecord, Store } from '#store';
import type { Catalog } from './catalog.ts';
import type { EmitImageEvent } from './events.ts';
import { compileImageFilter, parseDangling } from './image-filter.ts';
import type { ImageUser, Removal, Remover } from './remove.ts';

export interface PruneParts {
  store: Store;
  catalog: Catalog;
  remover: Remover;
  emit: EmitImageEvent;
  containersUsing: (imageId: ImageRecord['id']) => readonly ImageUser[];
}

const known: ReadonlySet<string> = new Set(['dangling', 'label', 'label!', 'until']);

/** Docker's prune: dangling images, or with `dangling=false` every image that no container uses. */
export async function pruneImages(
  parts: PruneParts,
  filters: ReadonlyMap<string, readonly string[]>,
): Promise<PruneImagesResponse> {
  const unknown = [...filters.keys()].find((key) => !known.has(key));
  if (unknown !== undefined) throw new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${unknown}'`);
  const danglingValues = filters.get('dangling') ?? [];
  const danglingOnly = danglingValues.length === 0 || parseDangling(danglingValues);
  const matches = await compileImageFilter(new Map([...filters].filter(([key]) => key !== 'dangling')), {
    find: async (ref) => await parts.catalog.view(parts.catalog.get(ref)),
  });
  const deleted: DeleteResponseItem[] = [];
  let freedBytes = 0;
  for (const image of parts.store.images.list()) {
    if (!(await isCandidate(parts, image, danglingOnly, matches))) continue;
    for (const ref of removalOrder(parts.store, image)) {
      const removal = await removeUnlessInUse(parts.remover, ref);
      deleted.push(...(removal?.items ?? []));
      freedBytes += removal?.freedBytes ?? 0;
    }
  }
  parts.emit('prune', '', { reclaimed: String(freedBytes) });
  return { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: freedBytes };
}

async function isCandidate(
  parts: PruneParts,
  image: ImageRecord,
  danglingOnly: boolean,
  matches: Awaited<ReturnType<typeof compileImageFilter>>,
): Promise<boolean> {
  const { store, catalog } = parts;
  if (!store.images.find(image.id) || parts.containersUsing(image.id).length > 0) return false;
  // One of another image's platforms goes with that.
  const isVariant = image.indexDigest === undefined && store.indexes.containing(image.id).length > 0;
  const references = store.images.references(image.id).map(parseReference);
  if (references.length === 0 && isVariant) return false;
  if (references.length === 0 && store.images.children(image.id).length > 0) return false;
  if (danglingOnly && references.some((reference) => reference.digest === undefined)) return false;
  return matches(await catalog.view(image));
}

/** All names one after the other; the last takes the image along. */
function removalOrder(store: Store, image: ImageRecord): string[] {
  const references = store.images.references(image.id);
  return references.length === 0 ? [image.id] : references.map((text) => formatReference(parseReference(text)));
}

/** Somebody may have begun to use the image, or removed it, since it was chosen. */
async function removeUnlessInUse(remover: Remover, ref: string): Promise<Removal | undefined> {
  try {
    return await remover.remove(ref, { force: false, prune: true });
  } catch (error) {
    if (isKind(error, 'conflict') || isKind(error, 'notFound')) return undefined;
    throw error;
  }
}
