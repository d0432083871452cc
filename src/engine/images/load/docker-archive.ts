import { formatReference, isDigest, parseReference } from '#spec';
import { invalidImageArchive } from '../errors.ts';
import { decodeImageConfig } from '../image-config.ts';
import { isObject, parseJson, stringList, stringOr } from '../json.ts';
import { archivedLayer, checkLayerCount, type ArchivedImage } from './archived-image.ts';
import type { Spool } from './spool.ts';

/** Reads the form of `docker save` since 1.10: `manifest.json` names configs, layers and tags. */
export async function readDockerArchive(spool: Spool): Promise<ArchivedImage[]> {
  const entries = parseJson(await spool.readSmall('manifest.json'), 'manifest.json');
  if (!Array.isArray(entries) || !entries.every(isObject)) {
    throw invalidImageArchive('manifest.json is not a list of images');
  }
  const images: ArchivedImage[] = [];
  for (const entry of entries) {
    const configName = stringOr(entry['Config'], '');
    const config = await spool.readSmall(configName);
    const diffIds = decodeImageConfig(config).rootfs.diff_ids;
    const layerNames = stringList(entry['Layers'], '"Layers" of manifest.json');
    checkLayerCount(diffIds, layerNames);
    const parent = stringOr(entry['Parent'], '');
    images.push({
      config,
      layers: diffIds.map((diffId, index) => archivedLayer(spool.get(layerNames[index] ?? ''), diffId)),
      references: stringList(entry['RepoTags'], '"RepoTags" of manifest.json').map(parseTag),
      parentId: isDigest(parent) ? parent : undefined,
    });
  }
  return images;
}

/** @throws invalidArgument with Docker's text when it has no tag. */
export function parseTag(text: string): string {
  const reference = parseReference(text);
  if (reference.tag === undefined || reference.digest !== undefined) {
    throw invalidImageArchive(`invalid tag ${JSON.stringify(text)}`);
  }
  return formatReference(reference);
}
