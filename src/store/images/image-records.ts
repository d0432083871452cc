import type { ChainId, Digest } from '#spec';
import type { Database, Row, Statement } from '../meta/index.ts';

/** An image's row. Its config and manifest are blobs. */
export interface ImageRecord {
  /** Digest of the config blob. */
  readonly id: Digest;
  readonly manifestDigest: Digest;
  /** The image it was made from here (commit, build, old archives); undefined for loaded and pulled ones. */
  readonly parentId: Digest | undefined;
  /** RFC 3339. */
  readonly addedAt: string;
  /** RFC 3339, when a tag was last set; undefined if never. */
  readonly taggedAt: string | undefined;
  /** The index it stands for: of its names, or the last one that a name had; undefined for an image of one platform. */
  readonly indexDigest: Digest | undefined;
}

/** What a name points at. */
export interface Target {
  /** The image that the name means where no platform is asked for. */
  readonly imageId: Digest;
  /** The index it was chosen from. */
  readonly indexDigest: Digest | undefined;
}

/** A layer's place in an image. */
export interface ImageLayer {
  readonly chainId: ChainId;
  /** The blob its manifest names. */
  readonly blobDigest: Digest;
}

function fromRow(row: Row): ImageRecord {
  return {
    id: String(row['id']) as Digest,
    manifestDigest: String(row['manifest_digest']) as Digest,
    parentId: row['parent_id'] === null ? undefined : (String(row['parent_id']) as Digest),
    addedAt: String(row['added_at']),
    taggedAt: row['tagged_at'] === null ? undefined : String(row['tagged_at']),
    indexDigest: digestOrUndefined(row['index_digest']),
  };
}

function digestOrUndefined(value: Row[string] | undefined): Digest | undefined {
  return value === null || value === undefined ? undefined : (String(value) as Digest);
}

/** The rows of `images`, `image_layers` and `tags`. References are full normalised ones. All calls are synchronous. */
export class ImageRecords {
  readonly #db: Database;
  readonly #find: Statement;
  readonly #search: Statement;
  readonly #list: Statement;
  readonly #children: Statement;
  readonly #withManifest: Statement;
  readonly #insert: Statement;
  readonly #insertLayer: Statement;
  readonly #layers: Statement;
  readonly #setManifest: Statement;
  readonly #setLayerBlob: Statement;
  readonly #remove: Statement;
  readonly #resolve: Statement;
  readonly #references: Statement;
  readonly #allReferences: Statement;
  readonly #tag: Statement;
  readonly #touch: Statement;
  readonly #chooseIndex: Statement;
  readonly #untag: Statement;
  readonly #byIndex: Statement;
  readonly #meantBy: Statement;
  readonly #repoint: Statement;
  readonly #leaveIndex: Statement;
  readonly #setIndex: Statement;
  readonly #sweepIndexes: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#find = db.prepare('SELECT * FROM images WHERE id = ?');
    this.#search = db.prepare('SELECT * FROM images WHERE id >= ?1 AND id < ?2 LIMIT 2');
    this.#list = db.prepare('SELECT * FROM images');
    this.#children = db.prepare('SELECT * FROM images WHERE parent_id = ?');
    this.#withManifest = db.prepare('SELECT * FROM images WHERE manifest_digest = ?');
    this.#insert = db.prepare(
      'INSERT INTO images (id, manifest_digest, parent_id, added_at) VALUES (?, ?, ?, ?) ON CONFLICT(id) DO NOTHING',
    );
    this.#insertLayer = db.prepare('INSERT INTO image_layers VALUES (?, ?, ?, ?)');
    this.#layers = db.prepare('SELECT chain_id, blob_digest FROM image_layers WHERE image_id = ? ORDER BY position');
    this.#setManifest = db.prepare('UPDATE images SET manifest_digest = ? WHERE id = ?');
    this.#setLayerBlob = db.prepare('UPDATE image_layers SET blob_digest = ? WHERE image_id = ? AND position = ?');
    this.#remove = db.prepare('DELETE FROM images WHERE id = ?');
    this.#resolve = db.prepare('SELECT image_id, index_digest FROM tags WHERE reference = ?');
    this.#references = db.prepare('SELECT reference FROM tags WHERE image_id = ? ORDER BY reference');
    this.#allReferences = db.prepare('SELECT reference, image_id FROM tags ORDER BY reference');
    this.#tag = db.prepare(
      `INSERT INTO tags (reference, image_id, index_digest) VALUES (?, ?, ?)
       ON CONFLICT(reference) DO UPDATE SET image_id = excluded.image_id, index_digest = excluded.index_digest`,
    );
    this.#touch = db.prepare('UPDATE images SET tagged_at = ? WHERE id = ?');
    // The one it has stays while a name of its own points there; else any that one of its names points at.
    this.#chooseIndex = db.prepare(
      `UPDATE images SET index_digest = (
         SELECT index_digest FROM tags WHERE image_id = images.id AND index_digest IS NOT NULL
         ORDER BY index_digest = images.index_digest DESC, reference LIMIT 1
       ) WHERE EXISTS (SELECT 1 FROM tags WHERE image_id = images.id) AND id = ?`,
    );
    this.#untag = db.prepare('DELETE FROM tags WHERE reference = ?');
    this.#byIndex = db.prepare('SELECT reference FROM tags WHERE index_digest = ? ORDER BY reference');
    this.#meantBy = db.prepare(
      `SELECT image_id FROM tags WHERE index_digest = ?
       UNION ALL SELECT id AS image_id FROM images WHERE index_digest = ? LIMIT 1`,
    );
    this.#repoint = db.prepare('UPDATE tags SET image_id = ? WHERE index_digest = ?');
    this.#leaveIndex = db.prepare('UPDATE images SET index_digest = NULL WHERE index_digest = ? AND id <> ?');
    this.#setIndex = db.prepare('UPDATE images SET index_digest = ? WHERE id = ?');
    this.#sweepIndexes = db.prepare(
      `DELETE FROM indexes WHERE NOT EXISTS (SELECT 1 FROM tags WHERE tags.index_digest = indexes.digest)
       AND NOT EXISTS (
         SELECT 1 FROM images WHERE images.index_digest = indexes.digest
         AND NOT EXISTS (SELECT 1 FROM tags WHERE tags.image_id = images.id)
       )`,
    );
  }

  find(id: Digest): ImageRecord | undefined {
    const row = this.#find.get(id);
    return row && fromRow(row);
  }

  /** The one image whose ID (with or without `sha256:`) begins so; undefined when there is none or several. */
  findByPrefix(prefix: string): ImageRecord | undefined {
    const hex = prefix.startsWith('sha256:') ? prefix.slice('sha256:'.length) : prefix;
    if (!/^[0-9a-f]{1,64}$/.test(hex)) return undefined;
    const rows = this.#search.all(`sha256:${hex}`, `sha256:${hex}g`);
    return rows.length === 1 && rows[0] ? fromRow(rows[0]) : undefined;
  }

  list(): ImageRecord[] {
    return this.#list.all().map(fromRow);
  }

  /** Images that came with this manifest. */
  withManifest(digest: Digest): ImageRecord[] {
    return this.#withManifest.all(digest).map(fromRow);
  }

  children(id: Digest): ImageRecord[] {
    return this.#children.all(id).map(fromRow);
  }

  /** Layers from the bottom. */
  layers(id: Digest): ImageLayer[] {
    return this.#layers.all(id).map((row) => ({
      chainId: String(row['chain_id']) as ChainId,
      blobDigest: String(row['blob_digest']) as Digest,
    }));
  }

  /** Adds the image unless it is there; its blobs and layers must be. Answers whether it is new. */
  add(image: Omit<ImageRecord, 'taggedAt' | 'indexDigest'>, layers: readonly ImageLayer[]): boolean {
    return this.#db.transaction(() => {
      const { changes } = this.#insert.run(image.id, image.manifestDigest, image.parentId ?? null, image.addedAt);
      if (Number(changes) === 0) return false;
      layers.forEach((layer, position) => this.#insertLayer.run(image.id, position, layer.chainId, layer.blobDigest));
      return true;
    });
  }

  /** The image came once more, with another manifest: from now on that one counts, and the blobs it names. */
  replaceManifest(id: Digest, manifest: Digest, layers: readonly ImageLayer[]): void {
    this.#db.transaction(() => {
      this.#setManifest.run(manifest, id);
      layers.forEach((layer, position) => this.#setLayerBlob.run(layer.blobDigest, id, position));
    });
  }

  /** The image must have no references left. An index that only it stood for goes along. */
  remove(id: Digest): void {
    this.#db.transaction(() => {
      this.#remove.run(id);
      this.#sweepIndexes.run();
    });
  }

  resolve(reference: string): Digest | undefined {
    return this.target(reference)?.imageId;
  }

  target(reference: string): Target | undefined {
    const row = this.#resolve.get(reference);
    return row && { imageId: String(row['image_id']) as Digest, indexDigest: digestOrUndefined(row['index_digest']) };
  }

  references(id: Digest): string[] {
    return this.#references.all(id).map((row) => String(row['reference']));
  }

  /** All references by image, each list sorted. */
  allReferences(): Map<Digest, string[]> {
    const byImage = new Map<Digest, string[]>();
    for (const row of this.#allReferences.all()) {
      const id = String(row['image_id']) as Digest;
      const references = byImage.get(id) ?? [];
      references.push(String(row['reference']));
      byImage.set(id, references);
    }
    return byImage;
  }

  /**
   * Points the reference at the image, and at the index it was chosen from, which must have its row; answers what it
   * pointed at before. An index without a name left goes, unless an image without names stands for it.
   */
  tag(reference: string, id: Digest, at: string, index?: Digest): Target | undefined {
    return this.#db.transaction(() => {
      const before = this.target(reference);
      this.#tag.run(reference, id, index ?? null);
      this.#touch.run(at, id);
      this.#chooseIndex.run(id);
      if (before) this.#chooseIndex.run(before.imageId);
      this.#sweepIndexes.run();
      return before;
    });
  }

  /** References of all names that point at the index, sorted. */
  referencesOf(index: Digest): string[] {
    return this.#byIndex.all(index).map((row) => String(row['reference']));
  }

  /** What the index means where no platform is asked for. */
  meantBy(index: Digest): Digest | undefined {
    const row = this.#meantBy.get(index, index);
    return row && (String(row['image_id']) as Digest);
  }

  /** Makes the image what the index means where no platform is asked for: all names of the index follow. */
  standFor(index: Digest, id: Digest): void {
    this.#db.transaction(() => {
      this.#repoint.run(id, index);
      this.#leaveIndex.run(index, id);
      this.#setIndex.run(index, id);
    });
  }

  /** After {@link standFor} without a name for the index: an image that has names of its own stands for theirs alone. */
  settleIndex(id: Digest): void {
    this.#db.transaction(() => {
      this.#chooseIndex.run(id);
      this.#sweepIndexes.run();
    });
  }

  /** The image no longer stands for its index, which goes unless a name needs it. */
  standAlone(id: Digest): void {
    this.#db.transaction(() => {
      this.#setIndex.run(null, id);
      this.#sweepIndexes.run();
    });
  }

  /** Answers whether it was there. */
  untag(reference: string): boolean {
    return this.#db.transaction(() => {
      const before = this.target(reference);
      if (!before) return false;
      this.#untag.run(reference);
      this.#chooseIndex.run(before.imageId);
      this.#sweepIndexes.run();
      return true;
    });
  }
}
