import type { Digest } from '#spec';
import type { Database, Statement } from '#store';

/** Which blobs are visible in which repository. Changes belong into a transaction of the caller. */
export class BlobLinkRecords {
  readonly #find: Statement;
  readonly #link: Statement;
  readonly #unlink: Statement;
  readonly #touch: Statement;
  readonly #isLinked: Statement;
  readonly #holders: Statement;
  readonly #removeUnreferenced: Statement;

  constructor(db: Database) {
    this.#find = db.prepare(
      `SELECT size_bytes, seen_ms FROM blob_links JOIN repositories ON id = repository_id WHERE name = ? AND digest = ?`,
    );
    this.#link = db.prepare(
      `INSERT INTO blob_links (repository_id, digest, size_bytes, seen_ms) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seen_ms = excluded.seen_ms`,
    );
    this.#unlink = db.prepare('DELETE FROM blob_links WHERE repository_id = ? AND digest = ?');
    this.#touch = db.prepare(
      'UPDATE blob_links SET seen_ms = ? WHERE repository_id = (SELECT id FROM repositories WHERE name = ?) AND digest = ?',
    );
    this.#isLinked = db.prepare(
      'SELECT 1 FROM blob_links WHERE digest = ?1 UNION ALL SELECT 1 FROM manifests WHERE digest = ?1 LIMIT 1',
    );
    this.#holders = db.prepare(
      'SELECT name FROM blob_links JOIN repositories ON id = repository_id WHERE digest = ? ORDER BY name LIMIT 100',
    );
    this.#removeUnreferenced = db.prepare(
      `DELETE FROM blob_links WHERE seen_ms < ? AND NOT EXISTS (SELECT 1 FROM manifest_references AS r
       WHERE r.repository_id = blob_links.repository_id AND r.digest = blob_links.digest)`,
    );
  }

  find(repository: string, digest: Digest): { sizeBytes: number; seenMs: number } | undefined {
    const row = this.#find.get(repository, digest);
    return row === undefined ? undefined : { sizeBytes: Number(row['size_bytes']), seenMs: Number(row['seen_ms']) };
  }

  link(repositoryId: number, digest: Digest, sizeBytes: number): void {
    this.#link.run(repositoryId, digest, sizeBytes, Date.now());
  }

  /** Whether it was linked there. */
  unlink(repositoryId: number, digest: string): boolean {
    return Number(this.#unlink.run(repositoryId, digest).changes) > 0;
  }

  /** Someone counts on it now. */
  touch(repository: string, digest: Digest): void {
    this.#touch.run(Date.now(), repository, digest);
  }

  /** Whether any repository shows it, as a blob or as a manifest. */
  isLinkedAnywhere(digest: Digest): boolean {
    return this.#isLinked.get(digest) !== undefined;
  }

  /** Some repositories that show it as a blob. */
  holders(digest: Digest): string[] {
    return this.#holders.all(digest).map((row) => String(row['name']));
  }

  /** Unlinks what no manifest of its repository needs and nobody asked for since; answers how many that were. */
  removeUnreferenced(seenBeforeMs: number): number {
    return Number(this.#removeUnreferenced.run(seenBeforeMs).changes);
  }
}
