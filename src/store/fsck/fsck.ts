import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decompress } from '#archive';
import type { Digest } from '#spec';
import type { Sys } from '#sys';
import type { Database } from '../meta/index.ts';
import { referredBlobs } from '../gc/collect.ts';
import { chainIdOf, type Layer } from '../snapshots/index.ts';
import type { Store } from '../store.ts';
import { compareTrees } from './compare-trees.ts';

export interface FsckOptions {
  /** Also hash every layer's uncompressed content, unpack it once more, and compare it with the snapshot in use. */
  deep: boolean;
}

export interface FsckReport {
  /** In words; empty when all is well. */
  problems: string[];
  /** How many of each were looked at. */
  checked: Record<string, number>;
}

export interface FsckParts {
  store: Store;
  db: Database;
  sys: Sys;
}

/** The last part of an ID, enough for people. */
function short(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

async function checkBlobs({ store, db }: FsckParts, problems: string[]): Promise<number> {
  const blobs = await store.blobs.list();
  const referred = referredBlobs(db);
  const pinned = new Set<string>(store.leases.blobs());
  for (const digest of blobs) {
    if (!(await store.blobs.verify(digest))) problems.push(`blob ${digest}: content does not match its digest`);
    if (!referred.has(digest) && !pinned.has(digest)) problems.push(`blob ${digest}: nothing refers to it`);
  }
  const present = new Set<string>(blobs);
  for (const digest of referred) if (!present.has(digest)) problems.push(`blob ${digest}: referred to, but missing`);
  return blobs.length;
}

async function hashUncompressed(store: Store, digest: Digest): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of decompress(store.blobs.openRead(digest))) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

async function checkLayerDeeply({ store, sys }: FsckParts, layer: Layer, problems: string[]): Promise<void> {
  const name = `layer ${short(layer.chainId)}`;
  if (!store.blobs.has(layer.blobDigest)) return;
  try {
    const diffId = await hashUncompressed(store, layer.blobDigest);
    if (diffId !== layer.diffId) {
      problems.push(`${name}: its blob ${short(layer.blobDigest)} unpacks to ${diffId}, not to ${layer.diffId}`);
      return;
    }
    await using fresh = await store.layers.unpack(store.blobs.path(layer.blobDigest));
    const difference = await compareTrees(sys, fresh.path, store.layers.path(layer));
    if (difference !== undefined) problems.push(`${name}: the snapshot differs from its blob: ${difference}`);
  } catch (error) {
    problems.push(`${name}: cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function checkLayers(parts: FsckParts, options: FsckOptions, problems: string[]): Promise<number> {
  const { store } = parts;
  const layers = store.layers.list();
  for (const layer of layers) {
    const name = `layer ${short(layer.chainId)}`;
    if (chainIdOf(layer.parentChainId, layer.diffId) !== layer.chainId) {
      problems.push(`${name}: its chain ID does not follow from its parent and diff ID`);
    }
    if (!existsSync(store.layers.path(layer))) problems.push(`${name}: its snapshot ${layer.dir} is missing`);
    else if (options.deep) await checkLayerDeeply(parts, layer, problems);
  }
  const known = new Set(['empty', ...layers.map((layer) => layer.dir)]);
  const strays = readdirSync(join(store.root, 'l')).filter(
    (name) => !known.has(name) && !store.layers.list().some((layer) => layer.dir === name),
  );
  for (const name of strays) problems.push(`snapshot ${name}: no layer owns it`);
  return layers.length;
}

async function checkImages({ store }: FsckParts, problems: string[]): Promise<number> {
  const images = store.images.list();
  for (const image of images) {
    const chains = store.images.layers(image.id).map((layer) => layer.chainId);
    const diffIds = chains.map((chainId) => store.layers.find(chainId)?.diffId);
    if (!store.blobs.has(image.id)) continue;
    const text = (await store.blobs.read(image.id, Number.MAX_SAFE_INTEGER)).toString();
    const stated = statedDiffIds(text);
    if (stated === undefined) problems.push(`image ${short(image.id)}: its configuration is unreadable`);
    else if (JSON.stringify(stated) !== JSON.stringify(diffIds)) {
      problems.push(`image ${short(image.id)}: its configuration names other layers than the store`);
    }
  }
  return images.length;
}

async function checkIndexes({ store }: FsckParts, problems: string[]): Promise<number> {
  const indexes = store.indexes.list();
  for (const digest of indexes) {
    const name = `index ${short(digest)}`;
    if (!store.blobs.has(digest)) continue;
    const listed = listedManifests((await store.blobs.read(digest, Number.MAX_SAFE_INTEGER)).toString());
    const entries = store.indexes.entries(digest);
    const known = new Set<unknown>(entries.map((entry) => entry.manifestDigest));
    if (listed === undefined) problems.push(`${name}: it is unreadable`);
    else if (!listed.every((manifest) => known.has(manifest))) {
      problems.push(`${name}: it lists other manifests than the store`);
    }
    for (const { imageId, manifestDigest } of entries) {
      const isKept = imageId === undefined || store.indexes.blobs(digest, manifestDigest).includes(imageId);
      if (!isKept) problems.push(`${name}: nothing keeps the configuration of its image ${short(imageId)}`);
    }
    if (store.images.meantBy(digest) === undefined) problems.push(`${name}: no name and no image stands for it`);
  }
  return indexes.length;
}

function listedManifests(index: string): unknown[] | undefined {
  try {
    const { manifests } = JSON.parse(index) as { manifests?: { digest?: unknown }[] };
    return manifests?.map(({ digest }) => digest) ?? [];
  } catch {
    return undefined;
  }
}

function statedDiffIds(config: string): unknown[] | undefined {
  try {
    const { rootfs } = JSON.parse(config) as { rootfs?: { diff_ids?: unknown[] | null } };
    return rootfs?.diff_ids ?? [];
  } catch {
    return undefined;
  }
}

async function checkContainerLayers({ store, sys }: FsckParts, problems: string[]): Promise<number> {
  for (const id of store.containerLayers.missing())
    problems.push(`container ${short(id)}: its writable layer is missing`);
  for (const id of await store.containerLayers.leftovers())
    problems.push(`writable layer ${short(id)}: no container owns it`);
  const known = new Set(store.containerLayers.list());
  const prefix = join(store.root, 'rw/');
  for (const { target } of sys.mounts.listMounts()) {
    const id = target.startsWith(prefix) ? (target.slice(prefix.length).split('/', 1)[0] ?? '') : undefined;
    if (id !== undefined && !known.has(id)) problems.push(`mount ${target}: no container owns it`);
  }
  return known.size;
}

/**
 * Verifies every digest, snapshot and reference. Best while nothing is being loaded or removed: what an operation in
 * flight has not yet referred to is told apart only where it is pinned.
 */
export async function fsck(parts: FsckParts, options: FsckOptions): Promise<FsckReport> {
  const problems = parts.db.integrityProblems().map((text) => `database: ${text}`);
  for (const name of await parts.store.blobs.listIngest()) problems.push(`ingest folder: leftover ${name}`);
  const checked = {
    blobs: await checkBlobs(parts, problems),
    layers: await checkLayers(parts, options, problems),
    images: await checkImages(parts, problems),
    indexes: await checkIndexes(parts, problems),
    containerLayers: await checkContainerLayers(parts, problems),
  };
  return { problems, checked };
}
