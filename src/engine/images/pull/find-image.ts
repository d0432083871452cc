import { EngineError } from '#errors';
import type { RemoteManifest, RemoteRepository } from '#registry';
import { hostPlatform, type oci } from '#spec';
import { chooseEntries, shownPlatform } from './choose.ts';
import { noMatchingManifest } from './errors.ts';
import { decodeManifest, isManifestRefusal, type BlobEntry, type RemoteContent } from './manifest.ts';

/** Indexes inside indexes, and documents read in search of one image. */
const MAX_DEPTH = 4;
const MAX_READS = 16;

/** One image of a repository, chosen. */
export interface FoundImage {
  readonly manifest: RemoteManifest;
  readonly config: BlobEntry;
  readonly layers: readonly BlobEntry[];
}

/** Looks for the image that `wanted` (undefined: this machine) means below what a tag or digest named. */
export class ImageFinder {
  readonly #repository: RemoteRepository;
  readonly #wanted: oci.Platform | undefined;
  readonly #name: string;
  readonly #signal: AbortSignal;
  #reads: number;
  /** Why the first candidate that is no image is none. */
  #refusal: EngineError | undefined;

  /** @param name - for messages. */
  constructor(repository: RemoteRepository, wanted: oci.Platform | undefined, name: string, signal: AbortSignal) {
    this.#repository = repository;
    this.#wanted = wanted;
    this.#name = name;
    this.#signal = signal;
    this.#reads = 0;
    this.#refusal = undefined;
  }

  /** @throws notFound with Docker's text when an index has no image for the platform; invalidArgument for what is no image. */
  async find(top: RemoteManifest): Promise<FoundImage> {
    const found = await this.#search(top, 0);
    if (!found) throw this.#refusal ?? noMatchingManifest(shownPlatform(this.#wanted));
    return found;
  }

  async #search(document: RemoteManifest, depth: number): Promise<FoundImage | undefined> {
    const content: RemoteContent = decodeManifest(document.bytes, document.mediaType, this.#name);
    if (content.kind === 'image') return { manifest: document, config: content.config, layers: content.layers };
    if (depth >= MAX_DEPTH) return undefined;
    for (const entry of chooseEntries(content.entries, this.#wanted ?? hostPlatform())) {
      this.#reads += 1;
      if (this.#reads > MAX_READS) return undefined;
      const child = await this.#repository.getManifest(entry.digest, { signal: this.#signal });
      const found = await this.#tryChild(child, depth + 1);
      if (found) return found;
    }
    return undefined;
  }

  /** Indexes also list what is no image: artifacts, and things to come. */
  async #tryChild(child: RemoteManifest, depth: number): Promise<FoundImage | undefined> {
    try {
      return await this.#search(child, depth);
    } catch (error) {
      if (!(error instanceof EngineError) || !isManifestRefusal(error)) throw error;
      this.#refusal ??= error;
      return undefined;
    }
  }
}
