import type { Digest, oci } from '#spec';
import type { Database, Row, Statement } from '../meta/index.ts';

/** What an index lists: an image, what is attested of one, or anything else. */
export type IndexEntryKind = 'image' | 'attestation' | 'unknown';

/** A manifest that an index lists. */
export interface IndexEntry {
  readonly manifestDigest: Digest;
  readonly kind: IndexEntryKind;
  /** As the index has it. */
  readonly descriptor: oci.Descriptor;
}

/** An entry, and what is here of it. */
export interface KeptManifest extends IndexEntry {
  /** The config's digest of an image that is here; its row in `images` is there once its layers are unpacked. */
  readonly imageId: Digest | undefined;
  /** Whether its blobs are here: all of them. */
  readonly isHere: boolean;
}

const kinds: readonly string[] = ['image', 'attestation'] satisfies IndexEntryKind[];

function fromRow(row: Row): KeptManifest {
  const kind = String(row['kind']);
  return {
    manifestDigest: String(row['manifest_digest']) as Digest,
    kind: kinds.includes(kind) ? (kind as IndexEntryKind) : 'unknown',
    descriptor: JSON.parse(String(row['descriptor'])) as oci.Descriptor,
    imageId: row['image_id'] === null ? undefined : (String(row['image_id']) as Digest),
    isHere: Number(row['is_here']) === 1,
  };
}

const SELECT = `
  SELECT m.*, EXISTS (
    SELECT 1 FROM index_blobs b WHERE b.index_digest = m.index_digest AND b.manifest_digest = m.manifest_digest
  ) AS is_here FROM index_manifests m`;

/**
 * The rows of `indexes`, `index_manifests` and `index_blobs`. An index goes with its last name; see `ImageRecords.tag` and
 * `untag`. All calls are synchronous.
 */
export class IndexRecords {
  readonly #db: Database;
  readonly #has: Statement;
  readonly #list: Statement;
  readonly #insert: Statement;
  readonly #insertEntry: Statement;
  readonly #entries: Statement;
  readonly #imageIds: Statement;
  readonly #byImage: Statement;
  readonly #byManifest: Statement;
  readonly #setImage: Statement;
  readonly #insertBlob: Statement;
  readonly #blobs: Statement;
  readonly #removeBlobs: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#has = db.prepare('SELECT 1 FROM indexes WHERE digest = ?');
    this.#list = db.prepare('SELECT digest FROM indexes ORDER BY digest');
    this.#insert = db.prepare('INSERT INTO indexes VALUES (?) ON CONFLICT DO NOTHING');
    this.#insertEntry = db.prepare(
      'INSERT INTO index_manifests VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (index_digest, manifest_digest) DO NOTHING',
    );
    this.#entries = db.prepare(`${SELECT} WHERE index_digest = ? ORDER BY position`);
    this.#imageIds = db.prepare('SELECT DISTINCT image_id FROM index_manifests WHERE image_id IS NOT NULL');
    this.#byImage = db.prepare('SELECT DISTINCT index_digest FROM index_manifests WHERE image_id = ?');
    this.#byManifest = db.prepare('SELECT index_digest FROM index_manifests WHERE manifest_digest = ?');
    this.#setImage = db.prepare(
      'UPDATE index_manifests SET image_id = ? WHERE index_digest = ? AND manifest_digest = ?',
    );
    this.#insertBlob = db.prepare('INSERT INTO index_blobs VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
    this.#blobs = db.prepare('SELECT blob_digest FROM index_blobs WHERE index_digest = ? AND manifest_digest = ?');
    this.#removeBlobs = db.prepare('DELETE FROM index_blobs WHERE index_digest = ? AND manifest_digest = ?');
  }

  has(index: Digest): boolean {
    return this.#has.get(index) !== undefined;
  }

  list(): Digest[] {
    return this.#list.all().map((row) => String(row['digest']) as Digest);
  }

  /** Adds the index, or entries that it lacks. Its blob must be there. */
  add(index: Digest, entries: readonly IndexEntry[]): void {
    this.#db.transaction(() => {
      this.#insert.run(index);
      entries.forEach(({ manifestDigest, kind, descriptor }, position) => {
        this.#insertEntry.run(index, manifestDigest, position, kind, JSON.stringify(descriptor));
      });
    });
  }

  /** What the index lists, in its order. */
  entries(index: Digest): KeptManifest[] {
    return this.#entries.all(index).map(fromRow);
  }

  /** All images that are part of an index, unpacked or not. */
  imageIds(): Set<Digest> {
    return new Set(this.#imageIds.all().map((row) => String(row['image_id']) as Digest));
  }

  /** Indexes that have the image here. */
  containing(imageId: Digest): Digest[] {
    return this.#byImage.all(imageId).map((row) => String(row['index_digest']) as Digest);
  }

  /** Indexes that list the manifest. */
  listing(manifest: Digest): Digest[] {
    return this.#byManifest.all(manifest).map((row) => String(row['index_digest']) as Digest);
  }

  /** Keeps an entry's blobs, all of which must be there: its manifest, and what that refers to. */
  keep(index: Digest, manifest: Digest, kept: { imageId: Digest | undefined; blobs: readonly Digest[] }): void {
    this.#db.transaction(() => {
      this.#setImage.run(kept.imageId ?? null, index, manifest);
      for (const blob of new Set([manifest, ...kept.blobs])) this.#insertBlob.run(index, manifest, blob);
    });
  }

  /** The blobs kept of an entry. */
  blobs(index: Digest, manifest: Digest): Digest[] {
    return this.#blobs.all(index, manifest).map((row) => String(row['blob_digest']) as Digest);
  }

  /** The entry stays listed, its content is no longer kept. */
  drop(index: Digest, manifest: Digest): void {
    this.#db.transaction(() => {
      this.#removeBlobs.run(index, manifest);
      this.#setImage.run(null, index, manifest);
    });
  }
}
