import type { Digest } from '#spec';
import type { Database, Statement } from '#store';

/** What a cache knows of its upstream. All of it can be asked for again, so nothing waits for the disk. */
export class UpstreamRecords {
  readonly #db: Database;
  readonly #size: Statement;
  readonly #addContent: Statement;
  readonly #checked: Statement;
  readonly #check: Statement;
  readonly #removeOld: Statement;
  readonly #removeOldChecks: Statement;
  readonly #removeLost: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#size = db.prepare('SELECT size_bytes FROM upstream_contents WHERE repository = ? AND digest = ?');
    this.#addContent = db.prepare(
      'INSERT OR IGNORE INTO upstream_contents (repository, digest, size_bytes) VALUES (?, ?, ?)',
    );
    this.#checked = db.prepare('SELECT checked_ms FROM upstream_checks WHERE repository = ? AND reference = ?');
    this.#check = db.prepare(
      `INSERT INTO upstream_checks (repository, reference, checked_ms) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET checked_ms = excluded.checked_ms`,
    );
    this.#removeOld = db.prepare(
      `DELETE FROM manifests WHERE pushed_ms < ?1 AND NOT EXISTS (SELECT 1 FROM upstream_checks JOIN repositories
         ON name = repository WHERE id = repository_id AND reference = manifests.digest AND checked_ms >= ?1)`,
    );
    this.#removeOldChecks = db.prepare('DELETE FROM upstream_checks WHERE checked_ms < ?');
    this.#removeLost = db.prepare(
      `DELETE FROM upstream_contents WHERE NOT EXISTS (SELECT 1 FROM manifest_references AS r JOIN repositories
         ON id = r.repository_id WHERE name = repository AND r.digest = upstream_contents.digest)`,
    );
  }

  /** How long something is that a cached manifest names; undefined when none does. */
  sizeBytes(repository: string, digest: Digest): number | undefined {
    const row = this.#size.get(repository, digest);
    return row === undefined ? undefined : Number(row['size_bytes']);
  }

  /** Belongs into a transaction of the caller. */
  addContent(repository: string, digest: Digest, sizeBytes: number): void {
    this.#addContent.run(repository, digest, sizeBytes);
  }

  /** When a tag was last compared, or a digest last asked for; 0: never. */
  checkedMs(repository: string, reference: string): number {
    return Number(this.#checked.get(repository, reference)?.['checked_ms'] ?? 0);
  }

  check(repository: string, reference: string): void {
    this.#db.relaxed(() => this.#check.run(repository, reference, Date.now()));
  }

  /** Forgets manifests nobody asked for since; belongs into a transaction of the caller. */
  removeUnusedSince(ms: number): number {
    const { changes } = this.#removeOld.run(ms);
    this.#removeOldChecks.run(ms);
    this.#removeLost.run();
    return Number(changes);
  }
}
