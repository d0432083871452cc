import type { Readable } from 'node:stream';
import { familiarReference, formatPlatform, matchesPlatform, parseReference, type oci, type ProgressLine } from '#spec';
import type { Lease, Store } from '#store';
import type { Catalog } from '../catalog.ts';
import { emitById, type EmitImageEvent } from '../events.ts';
import { invalidImageArchive, platformMismatch, shortId } from '../errors.ts';
import { decodeImageConfig } from '../image-config.ts';
import { layerProgress } from '../progress.ts';
import type { Registrar } from '../registrar.ts';
import { requestChunks } from '../request-body.ts';
import type { ArchivedImage } from './archived-image.ts';
import { readDockerArchive } from './docker-archive.ts';
import { isLegacyArchive, readLegacyArchive } from './legacy-archive.ts';
import { hasIndex, readOciLayout } from './oci-layout.ts';
import { Spool } from './spool.ts';

/** Files from this size on are worth a progress line while they are read. */
const PROGRESS_BYTES = 512 * 1024;
const PROGRESS_INTERVAL_MS = 100;

export interface LoadParts {
  store: Store;
  catalog: Catalog;
  registrar: Registrar;
  emit: EmitImageEvent;
}

export interface LoadOptions {
  quiet: boolean;
  /** Only the image for it; otherwise the host's where there is a choice. */
  platform: oci.Platform | undefined;
  signal: AbortSignal;
}

type Report = (line: ProgressLine) => void;

/** `docker load`: reads the archive once, then adds its images one by one. */
export async function load(parts: LoadParts, body: Readable, options: LoadOptions, report: Report): Promise<void> {
  const { store } = parts;
  try {
    using lease = store.leases.open();
    await using spool = new Spool(store, options.signal);
    await spool.readFrom(requestChunks(body), options.quiet ? () => undefined : throttled(report));
    for (const image of await readImages(spool, options.platform)) {
      checkPlatform(image, options.platform);
      await addImage(parts, image, lease, options, report);
    }
  } finally {
    await store.collect();
  }
}

async function readImages(spool: Spool, platform: oci.Platform | undefined): Promise<ArchivedImage[]> {
  // Docker's list names one platform of each image; what lists them all is preferred.
  if (spool.find('manifest.json') && !(await hasIndex(spool))) return await readDockerArchive(spool);
  if (spool.find('index.json')) return await readOciLayout(spool, platform);
  if (isLegacyArchive(spool)) return await readLegacyArchive(spool);
  throw invalidImageArchive(
    'unrecognized image format: the archive has no manifest.json, index.json or repositories (docker import takes plain root filesystems)',
  );
}

function checkPlatform(image: ArchivedImage, wanted: oci.Platform | undefined): void {
  // Of an index the one was chosen that is listed for the platform, whatever its configuration says.
  if (wanted === undefined || image.index !== undefined) return;
  const config = decodeImageConfig(image.config);
  if (matchesPlatform(wanted, config)) return;
  throw platformMismatch(image.references[0] ?? 'in the archive', formatPlatform(config), formatPlatform(wanted));
}

async function addImage(
  parts: LoadParts,
  image: ArchivedImage,
  lease: Lease,
  options: LoadOptions,
  report: Report,
): Promise<void> {
  const { catalog, registrar, store, emit } = parts;
  const parentId = image.parentId !== undefined && store.images.find(image.parentId) ? image.parentId : undefined;
  const added = await registrar.add({ ...image, parentId }, lease, options.signal);
  const config = await catalog.config(added.id);
  for (const { reference, from } of added.moved) {
    const name = familiarReference(parseReference(reference));
    report({ stream: `The image ${name} already exists, renaming the old one with ID ${from} to empty string\n` });
  }
  if (image.isIntermediate === true) return;
  emitById(emit, 'load', added.id, config);
  const names = image.references.map((reference) => familiarReference(parseReference(reference)));
  if (names.length === 0) report({ stream: `Loaded image ID: ${added.id}\n` });
  for (const name of names) report({ stream: `Loaded image: ${name}\n` });
}

/** Reports large files as layers on their way, a few times a second. */
function throttled(report: Report): (name: string, currentBytes: number, totalBytes: number) => void {
  let lastMs = 0;
  return (name, current, total) => {
    if (total < PROGRESS_BYTES) return;
    const now = performance.now();
    if (current < total && now - lastMs < PROGRESS_INTERVAL_MS) return;
    lastMs = now;
    const id = shortId(/[0-9a-f]{64}/.exec(name)?.[0] ?? name);
    report(layerProgress('Loading layer', id, current, total));
  };
}
