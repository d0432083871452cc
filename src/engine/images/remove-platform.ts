import { EngineError } from '#errors';
import type { DeleteResponseItem, Digest } from '#spec';
import type { KeptManifest } from '#store';
import { parsePlatformOption } from './catalog.ts';
import { attestedManifest } from './descriptors.ts';
import { cannotDelete, platformNotProvided, shortId } from './errors.ts';
import { emitById } from './events.ts';
import type { RemoverParts } from './remove.ts';
import type { Variants } from './variants.ts';

export interface PlatformRemoverParts extends RemoverParts {
  variants: Variants;
}

/** Removing a platform of an index needs force, since every name of the index loses it. */
export function needsForce(): EngineError {
  return new EngineError(
    'invalidArgument',
    'PLATFORM_REMOVAL_NOT_FORCED',
    'Content will be removed from all images referencing this variant. Use —-force to force delete.',
  );
}

/**
 * Gives up what is here of an index for one platform; the index stays, and means another image if it meant that one.
 *
 * @returns undefined, with nothing done, when no other image is here.
 * @throws {@link EngineError} notFound when the platform is not here, conflict when a running container uses it.
 */
export async function removePlatform(
  parts: PlatformRemoverParts,
  ref: string,
  index: Digest,
  platform: string,
): Promise<DeleteResponseItem[] | undefined> {
  const { store, catalog, variants } = parts;
  const wanted = parsePlatformOption(platform);
  const entry = variants.find(index, wanted);
  const id = entry?.imageId;
  if (entry === undefined || id === undefined) throw platformNotProvided(ref, wanted);
  const heir = findHeir(parts, index, entry);
  if (!heir) return undefined;
  const config = await catalog.config(id);
  if (store.images.meantBy(index) === id) await variants.unpack(index, heir);
  const items = store.transaction(() => drop(parts, index, entry, id, heir));
  emitById(parts.emit, 'delete', id, config);
  catalog.forget(id);
  const { layers } = await store.collect();
  return [...items, ...layers.map((layer) => ({ Deleted: layer.chainId as string }))];
}

/** What the index means when the entry has gone; one that is unpacked already if there is one. */
function findHeir({ store }: PlatformRemoverParts, index: Digest, entry: KeptManifest): KeptManifest | undefined {
  const others = store.indexes
    .entries(index)
    .filter(({ imageId, manifestDigest }) => imageId !== undefined && manifestDigest !== entry.manifestDigest);
  return others.find(({ imageId }) => imageId !== undefined && store.images.find(imageId)) ?? others[0];
}

function drop(
  { store, containersUsing }: PlatformRemoverParts,
  index: Digest,
  entry: KeptManifest,
  id: Digest,
  heir: KeptManifest,
): DeleteResponseItem[] {
  const { images, indexes } = store;
  const running = containersUsing(id).find((user) => user.running);
  if (running) {
    const message = `image is being used by running container ${shortId(running.id)}`;
    throw cannotDelete(id, { hard: true, used: true, message });
  }
  if (images.meantBy(index) === id && heir.imageId !== undefined) images.standFor(index, heir.imageId);
  const gone = indexes
    .entries(index)
    .filter((each) => each.isHere)
    .filter((each) => [each.manifestDigest, attestedManifest(each.descriptor)].includes(entry.manifestDigest));
  for (const { manifestDigest } of gone) indexes.drop(index, manifestDigest);
  const isNeeded = [images.references(id), images.children(id), indexes.containing(id)].some((list) => list.length > 0);
  if (!isNeeded) images.remove(id);
  return gone.map(({ manifestDigest }) => ({ Deleted: manifestDigest }));
}
