import {
  familiarReference,
  formatReference,
  parseReference,
  repositoryName,
  type DeleteResponseItem,
  type Digest,
  type ImageReference,
  type oci,
} from '#spec';
import type { ImageRecord, Store } from '#store';
import { canonicalName, type Catalog } from './catalog.ts';
import { cannotDelete, noSuchImage, referenceInUse, shortId, type DeleteConflict } from './errors.ts';
import { emitById, type EmitImageEvent } from './events.ts';

/** A container made from an image. */
export interface ImageUser {
  id: string;
  running: boolean;
}

export interface RemoverParts {
  store: Store;
  catalog: Catalog;
  emit: EmitImageEvent;
  containersUsing: (imageId: Digest) => readonly ImageUser[];
}

/** What a removal did: Docker's answer, and what it freed. */
export interface Removal {
  items: DeleteResponseItem[];
  freedBytes: number;
}

/** Rows that are gone, to be announced once the transaction is through. */
interface Changes {
  items: DeleteResponseItem[];
  events: { action: 'untag' | 'delete'; id: Digest }[];
}

interface RemoveOptions {
  force: boolean;
  /** Also remove untagged parents that are left without a child. */
  prune: boolean;
}

/** Which reasons count. */
interface Reasons {
  references: boolean;
  stopped: boolean;
}

/** At most one tag, and no digest of another repository. */
function isSingleReference(references: readonly ImageReference[]): boolean {
  if (references.length <= 1) return true;
  const tags = references.filter((reference) => reference.digest === undefined);
  const repositories = new Set(references.map(repositoryName));
  return tags.length <= 1 && repositories.size === 1;
}

/**
 * Removes names and images by Docker's rules: a name first, the image with its last name, then parents that nobody needs.
 */
export class Remover {
  readonly #parts: RemoverParts;

  constructor(parts: RemoverParts) {
    this.#parts = parts;
  }

  /** @throws {@link EngineError} notFound or conflict with Docker's texts; nothing has changed then. */
  async remove(ref: string, options: RemoveOptions): Promise<Removal> {
    const { store, catalog, emit } = this.#parts;
    const configs = await this.#configsOf(catalog.get(ref));
    const changes: Changes = { items: [], events: [] };
    store.transaction(() => this.#remove(ref, options, changes));
    for (const { action, id } of changes.events) {
      emitById(emit, action, id, configs.get(id));
      if (action === 'delete') catalog.forget(id);
    }
    const collected = await store.collect();
    const layers = collected.layers.map((layer) => ({ Deleted: layer.chainId as string }));
    return { items: [...changes.items, ...layers], freedBytes: collected.freedBytes };
  }

  /** Labels for the events, read before the image is gone. */
  async #configsOf(image: ImageRecord): Promise<Map<Digest, oci.ImageConfig>> {
    const { store, catalog } = this.#parts;
    const configs = new Map<Digest, oci.ImageConfig>();
    for (const { id } of this.#variants(image)) configs.set(id, await catalog.config(id));
    for (let next: ImageRecord | undefined = image; next !== undefined && !configs.has(next.id);) {
      configs.set(next.id, await catalog.config(next.id));
      next = next.parentId === undefined ? undefined : store.images.find(next.parentId);
    }
    return configs;
  }

  #remove(ref: string, options: RemoveOptions, changes: Changes): void {
    // Looked up again inside the transaction: somebody may have been quicker.
    const image = this.#parts.catalog.get(ref);
    const isId = image.id.startsWith(ref) || image.id.slice('sha256:'.length).startsWith(ref);
    if (!isId) {
      if (this.#removeName(ref, image, options, changes)) return;
      this.#delete(image, options, true, changes);
      return;
    }
    const references = this.#references(image.id);
    if (isSingleReference(references)) {
      const conflict = this.#findConflict(image, { references: false, stopped: !options.force });
      if (conflict) throw cannotDelete(image.id, conflict);
      for (const reference of references) this.#untag(reference, image.id, changes);
    }
    this.#delete(image, options, false, changes);
  }

  /** Answers whether that is all: other names keep the image. */
  #removeName(ref: string, image: ImageRecord, options: RemoveOptions, changes: Changes): boolean {
    const [user] = this.#usersOf(image);
    if (!options.force && user && isSingleReference(this.#references(image.id))) {
      throw referenceInUse(ref, user.id, image.id);
    }
    const name = parseReference(canonicalName(parseReference(ref)));
    if (!this.#untag(name, image.id, changes)) throw noSuchImage(familiarReference(name));
    const left = this.#references(image.id);
    const siblings = left.filter((reference) => repositoryName(reference) === repositoryName(name));
    const isLastTag = name.digest === undefined && siblings.every((reference) => reference.digest !== undefined);
    if (isLastTag) for (const sibling of siblings) this.#untag(sibling, image.id, changes, { silent: true });
    return this.#references(image.id).length > 0 || this.#becomesVariant(image.id, changes);
  }

  /** Whether the image, which has lost its last name, is another one's platform, and so stays as nothing but that. */
  #becomesVariant(id: Digest, changes: Changes): boolean {
    const { store } = this.#parts;
    const isVariant = store.indexes.containing(id).some((index) => store.images.meantBy(index) !== id);
    const image = store.images.find(id);
    if (!isVariant || !image) return false;
    const variants = this.#variants(image);
    store.images.standAlone(id);
    this.#removeOrphans(variants, changes);
    return true;
  }

  /** @param quiet - a name was removed already: conflicts only mean that the image stays. */
  #delete(image: ImageRecord, options: RemoveOptions, quiet: boolean, changes: Changes): void {
    const { store } = this.#parts;
    const conflict = this.#findConflict(image, { references: !options.force, stopped: !options.force });
    if (conflict) {
      const isDangling = this.#references(image.id).length === 0 && store.images.children(image.id).length === 0;
      if (quiet && (!isDangling || conflict.used)) return;
      throw cannotDelete(image.id, conflict);
    }
    for (const reference of this.#references(image.id)) this.#untag(reference, image.id, changes);
    const variants = this.#variants(image);
    this.#removeRow(image.id, changes);
    this.#removeOrphans(variants, changes);
    const parent = image.parentId === undefined ? undefined : store.images.find(image.parentId);
    if (options.prune && parent) this.#delete(parent, { force: false, prune: true }, true, changes);
  }

  #findConflict(image: ImageRecord, reasons: Reasons): DeleteConflict | undefined {
    const { store } = this.#parts;
    if (store.images.children(image.id).length > 0) {
      return { hard: true, used: false, message: 'image has dependent child images' };
    }
    const users = this.#usersOf(image);
    const running = users.find((user) => user.running);
    if (running) {
      return { hard: true, used: true, message: `image is being used by running container ${shortId(running.id)}` };
    }
    if (reasons.references && this.#references(image.id).length > 0) {
      return { hard: false, used: false, message: 'image is referenced in multiple repositories' };
    }
    const [stopped] = users;
    if (reasons.stopped && stopped) {
      return { hard: false, used: true, message: `image is being used by stopped container ${shortId(stopped.id)}` };
    }
    return undefined;
  }

  /** Containers of the image, and of the other platforms that go with it. */
  #usersOf(image: ImageRecord): ImageUser[] {
    const { containersUsing } = this.#parts;
    return [image, ...this.#variants(image)].flatMap(({ id }) => containersUsing(id));
  }

  /** Images for other platforms that are here only as part of what this image stands for. */
  #variants(image: ImageRecord): ImageRecord[] {
    const index = image.indexDigest;
    return index === undefined ? [] : this.#variantsOf(index).filter(({ id }) => id !== image.id);
  }

  #variantsOf(index: Digest): ImageRecord[] {
    const { images, indexes } = this.#parts.store;
    return indexes.entries(index).flatMap(({ imageId }) => {
      const image = imageId === undefined ? undefined : images.find(imageId);
      const isOnlyHere = image?.indexDigest === undefined || image.indexDigest === index;
      const isVariant = image && isOnlyHere && indexes.containing(image.id).length === 1;
      return isVariant && this.#references(image.id).length === 0 ? [image] : [];
    });
  }

  /** Images that were part of an index that is gone. Those that are used stay, as images without a name. */
  #removeOrphans(images: readonly ImageRecord[], changes: Changes): void {
    const { store, containersUsing } = this.#parts;
    for (const { id } of images) {
      const isNeeded = store.indexes.containing(id).length > 0 || store.images.children(id).length > 0;
      if (isNeeded || this.#references(id).length > 0 || containersUsing(id).length > 0) continue;
      this.#removeRow(id, changes);
    }
  }

  #removeRow(id: Digest, changes: Changes): void {
    const { images, indexes } = this.#parts.store;
    for (const index of indexes.containing(id)) {
      const entries = indexes.entries(index).filter((entry) => entry.imageId === id);
      for (const { manifestDigest } of entries) indexes.drop(index, manifestDigest);
    }
    images.remove(id);
    changes.items.push({ Deleted: id });
    changes.events.push({ action: 'delete', id });
  }

  #references(id: Digest): ImageReference[] {
    return this.#parts.store.images.references(id).map(parseReference);
  }

  #untag(reference: ImageReference, id: Digest, changes: Changes, options: { silent?: boolean } = {}): boolean {
    const { images, indexes } = this.#parts.store;
    const name = formatReference(reference);
    const index = images.target(name)?.indexDigest;
    const variants = index === undefined ? [] : this.#variantsOf(index).filter((image) => image.id !== id);
    const wasThere = images.untag(name);
    if (!wasThere) return false;
    changes.items.push({ Untagged: familiarReference(reference) });
    if (options.silent !== true) changes.events.push({ action: 'untag', id });
    if (index !== undefined && !indexes.has(index)) this.#removeOrphans(variants, changes);
    return true;
  }
}
