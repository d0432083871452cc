import { EngineError } from '#errors';
import { failpoint } from '#lib';
import type { BlobPushed, RemoteRepository } from '#registry';
import type { Digest, ImageReference, oci, ProgressLine } from '#spec';
import type { Store } from '#store';
import { decodeDescriptor } from '../descriptors.ts';
import { isObject } from '../json.ts';
import { layerProgress, layerStatus } from '../progress.ts';
import { retryText } from '../pull/layer-lines.ts';
import { MEDIA_TYPES } from '../registrar.ts';
import type { BlobSources } from './blob-sources.ts';
import { CompressedLayer } from './compressed-layer.ts';
import { plainLayers, type PlannedBlob, type PlannedManifest } from './plan.ts';
import type { Uploads } from './uploads.ts';

const INTERVAL_MS = 100;

export interface PushTarget {
  readonly repository: RemoteRepository;
  readonly name: ImageReference;
  readonly signal: AbortSignal;
  readonly report: (line: ProgressLine) => void;
}

export interface UploadParts {
  store: Store;
  sources: BlobSources;
  uploads: Uploads;
}

/** A manifest whose blobs are in the registry. */
export interface ReadyManifest {
  readonly digest: Digest | undefined;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

interface Sent {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Brings a manifest's blobs to the registry, and answers the manifest to put: the stored one, or one with compressed layers. */
export async function pushBlobs(
  parts: UploadParts,
  target: PushTarget,
  manifest: PlannedManifest,
): Promise<ReadyManifest> {
  // What came from a registry goes as it is; an archive's plain layers are compressed.
  const plain = parts.sources.isKnown(manifest.digest) ? [] : plainLayers(manifest);
  const plainDigests = new Set(plain.map((layer) => layer.digest));
  for (const { id } of manifest.blobs) if (id !== '') target.report(layerStatus('Preparing', id));
  const stop = new AbortController();
  const inner = { ...target, signal: AbortSignal.any([target.signal, stop.signal]) };
  const sending = manifest.blobs.map(async (blob): Promise<[Digest, Sent]> => {
    const upload = new Upload(parts, inner, blob, plainDigests.has(blob.digest));
    try {
      return [blob.digest, await upload.run()];
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(sending);
  target.signal.throwIfAborted();
  if (stop.signal.aborted) throw stop.signal.reason;
  const sent = new Map(settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])));
  if (plain.length === 0) return manifest;
  const bytes = withCompressedLayers(manifest.bytes, sent);
  return { digest: undefined, mediaType: MEDIA_TYPES.manifest, bytes };
}

const ociLayerTypes: Readonly<Record<string, string>> = {
  [MEDIA_TYPES.layer]: MEDIA_TYPES.layerGzip,
  'application/vnd.docker.image.rootfs.diff.tar.gzip': MEDIA_TYPES.layerGzip,
};

function withCompressedLayers(bytes: Buffer, sent: ReadonlyMap<Digest, Sent>): Buffer {
  const json: unknown = JSON.parse(bytes.toString());
  const layers = isObject(json) && Array.isArray(json['layers']) ? json['layers'].map(decodeDescriptor) : [];
  const compressed = layers.map((layer): oci.Descriptor => {
    const { digest, sizeBytes } = sent.get(layer.digest) ?? { digest: layer.digest, sizeBytes: layer.size };
    return { mediaType: ociLayerTypes[layer.mediaType] ?? layer.mediaType, digest, size: sizeBytes };
  });
  return Buffer.from(JSON.stringify({ ...(isObject(json) ? json : {}), layers: compressed }));
}

/** One blob's way to the registry, and what is told of it. */
class Upload {
  readonly #parts: UploadParts;
  readonly #target: PushTarget;
  readonly #blob: PlannedBlob;
  readonly #isPlain: boolean;
  #lastMs: number;
  #shown: number;
  #mountedFrom: string;

  constructor(parts: UploadParts, target: PushTarget, blob: PlannedBlob, isPlain: boolean) {
    this.#parts = parts;
    this.#target = target;
    this.#blob = blob;
    this.#isPlain = isPlain;
    this.#lastMs = 0;
    this.#shown = -1;
    this.#mountedFrom = '';
  }

  async run(): Promise<Sent> {
    const { uploads, sources } = this.#parts;
    const { signal, name } = this.#target;
    const onWait = (): void => this.#say('Waiting');
    const sent = await uploads.run(() => (this.#isPlain ? this.#sendCompressed() : this.#send()), { onWait, signal });
    sources.remember(name, [sent.digest, this.#blob.digest]);
    failpoint('push-blob-sent');
    return sent;
  }

  async #send(): Promise<Sent> {
    const { blobs } = this.#parts.store;
    const { digest, sizeBytes } = this.#blob;
    const open = (offsetBytes: number): AsyncIterable<Uint8Array> => blobs.openRead(digest, offsetBytes);
    await this.#push({ digest, sizeBytes }, open, (sent) => this.#progress(sent / Math.max(1, sizeBytes)));
    return { digest, sizeBytes };
  }

  async #sendCompressed(): Promise<Sent> {
    const { digest, sizeBytes } = this.#blob;
    await using layer = new CompressedLayer(this.#parts, digest, this.#target.signal);
    const onRead = (read: number): void => this.#progress((0.5 * read) / Math.max(1, sizeBytes));
    const described = await layer.describe(onRead);
    let changed: Sent | undefined;
    const open = async function* (offsetBytes: number): AsyncGenerator<Uint8Array> {
      const made = await layer.compress(onRead);
      if (made.digest !== described.digest) {
        changed = made;
        throw new EngineError('conflict', 'COMPRESSION_CHANGED', 'the layer compresses to other bytes than before');
      }
      yield* layer.openRead(offsetBytes);
    };
    const onProgress = (wanted: Sent) => (sent: number) => this.#progress(0.5 + (0.5 * sent) / wanted.sizeBytes);
    try {
      await this.#push(described, open, onProgress(described));
      return described;
    } catch (error) {
      if (changed === undefined) throw error;
      await this.#push(changed, (offset) => layer.openRead(offset), onProgress(changed));
      return changed;
    }
  }

  async #push(
    blob: Sent,
    open: (offsetBytes: number) => AsyncIterable<Uint8Array>,
    onProgress: (sentBytes: number) => void,
  ): Promise<void> {
    const { repository, name, signal } = this.#target;
    const mountFrom = this.#parts.sources.find(blob.digest, name.domain).filter((path) => path !== name.path);
    const onMounted = (fromPath: string): void => void (this.#mountedFrom = fromPath);
    const onRetry = (_attempt: number, delayMs: number): void => this.#say(retryText(delayMs));
    const pushed = await repository.pushBlob(blob, { open, mountFrom, onProgress, onMounted, onRetry, signal });
    this.#done(pushed);
  }

  #done(pushed: BlobPushed): void {
    switch (pushed) {
      case 'existed':
        this.#say('Layer already exists');
        break;
      case 'mounted':
        this.#say(`Mounted from ${this.#mountedFrom}`);
        break;
      case 'uploaded':
        this.#progress(1);
        this.#say('Pushed');
        break;
    }
  }

  #say(status: string): void {
    if (this.#blob.id !== '') this.#target.report(layerStatus(status, this.#blob.id));
  }

  /** In bytes of the unpacked layer, as Docker counts them. */
  #progress(part: number): void {
    const { id, shownBytes } = this.#blob;
    const now = performance.now();
    const current = Math.round(part * shownBytes);
    const isTooSoon = part < 1 && this.#shown >= 0 && now - this.#lastMs < INTERVAL_MS;
    if (id === '' || isTooSoon || current === this.#shown) return;
    this.#shown = current;
    this.#lastMs = now;
    this.#target.report(layerProgress('Pushing', id, current, shownBytes));
  }
}
