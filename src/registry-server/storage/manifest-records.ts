import type { Digest } from '#spec';
import type { Database, Row, Statement } from '#store';
import type { Page } from './repository-records.ts';

/** A manifest as a repository knows it; its bytes are in the blob store. */
export interface ManifestRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly subject?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

function decode(row: Row): ManifestRecord {
  return {
    digest: String(row['digest']) as Digest,
    mediaType: String(row['media_type']),
    sizeBytes: Number(row['size_bytes']),
    subject: row['subject'] === null ? undefined : String(row['subject']),
    artifactType: row['artifact_type'] === null ? undefined : String(row['artifact_type']),
    annotations:
      row['annotations'] === null ? undefined : (JSON.parse(String(row['annotations'])) as Record<string, string>),
  };
}

const columns = 'digest, media_type, size_bytes, subject, artifact_type, annotations';

/** Manifests, what they need, and tags. Changes belong into a transaction of the caller. */
export class ManifestRecords {
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #refer: Statement;
  readonly #remove: Statement;
  readonly #referrers: Statement;
  readonly #setTag: Statement;
  readonly #findTag: Statement;
  readonly #removeTag: Statement;
  readonly #tags: Statement;
  readonly #tagsOf: Statement;

  constructor(db: Database) {
    this.#find = db.prepare(`SELECT ${columns} FROM manifests WHERE repository_id = ? AND digest = ?`);
    this.#insert = db.prepare(
      `INSERT INTO manifests (repository_id, ${columns}, pushed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET media_type = excluded.media_type, pushed_ms = excluded.pushed_ms`,
    );
    this.#refer = db.prepare(
      'INSERT OR IGNORE INTO manifest_references (repository_id, manifest_digest, digest, kind) VALUES (?, ?, ?, ?)',
    );
    this.#remove = db.prepare('DELETE FROM manifests WHERE repository_id = ? AND digest = ?');
    this.#referrers = db.prepare(
      `SELECT ${columns} FROM manifests WHERE repository_id = ?1 AND subject = ?2 AND digest > ?3
       AND (?4 IS NULL OR artifact_type = ?4) ORDER BY digest LIMIT ?5`,
    );
    this.#setTag = db.prepare(
      'INSERT INTO tags (repository_id, name, digest) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET digest = excluded.digest',
    );
    this.#findTag = db.prepare('SELECT digest FROM tags WHERE repository_id = ? AND name = ?');
    this.#removeTag = db.prepare('DELETE FROM tags WHERE repository_id = ? AND name = ?');
    this.#tags = db.prepare('SELECT name FROM tags WHERE repository_id = ? AND name > ? ORDER BY name LIMIT ?');
    this.#tagsOf = db.prepare('SELECT name FROM tags WHERE repository_id = ? AND digest = ? ORDER BY name');
  }

  find(repositoryId: number, digest: Digest): ManifestRecord | undefined {
    const row = this.#find.get(repositoryId, digest);
    return row === undefined ? undefined : decode(row);
  }

  /** A manifest that is there already keeps its references, which its digest decides. */
  put(
    repositoryId: number,
    record: ManifestRecord,
    needs: { readonly blobs: readonly Digest[]; readonly manifests: readonly Digest[] },
  ): void {
    this.#insert.run(
      repositoryId,
      record.digest,
      record.mediaType,
      record.sizeBytes,
      record.subject ?? null,
      record.artifactType ?? null,
      record.annotations === undefined ? null : JSON.stringify(record.annotations),
      Date.now(),
    );
    for (const digest of needs.blobs) this.#refer.run(repositoryId, record.digest, digest, 'blob');
    for (const digest of needs.manifests) this.#refer.run(repositoryId, record.digest, digest, 'manifest');
  }

  /** Takes its tags along. Whether it was there. */
  remove(repositoryId: number, digest: Digest): boolean {
    return Number(this.#remove.run(repositoryId, digest).changes) > 0;
  }

  /** Manifests whose subject this is, in the order of their digests. */
  listReferrers(
    repositoryId: number,
    subject: string,
    page: Page & { readonly artifactType?: string | undefined },
  ): ManifestRecord[] {
    return this.#referrers
      .all(repositoryId, subject, page.after, page.artifactType ?? null, page.limit)
      .map((row) => decode(row));
  }

  setTag(repositoryId: number, tag: string, digest: Digest): void {
    this.#setTag.run(repositoryId, tag, digest);
  }

  findTag(repositoryId: number, tag: string): Digest | undefined {
    const row = this.#findTag.get(repositoryId, tag);
    return row === undefined ? undefined : (String(row['digest']) as Digest);
  }

  /** Whether it was there. */
  removeTag(repositoryId: number, tag: string): boolean {
    return Number(this.#removeTag.run(repositoryId, tag).changes) > 0;
  }

  /** In byte order. */
  listTags(repositoryId: number, page: Page): string[] {
    return this.#tags.all(repositoryId, page.after, page.limit).map((row) => String(row['name']));
  }

  tagsOf(repositoryId: number, digest: Digest): string[] {
    return this.#tagsOf.all(repositoryId, digest).map((row) => String(row['name']));
  }
}
