import type { Database, Statement } from '#store';

/** One page of a sorted list. */
export interface Page {
  /** At most so many. */
  readonly limit: number;
  /** Only what sorts behind this. */
  readonly after: string;
}

/** Repositories by name; the other tables know them by number. Changes belong into a transaction of the caller. */
export class RepositoryRecords {
  readonly #find: Statement;
  readonly #findPublished: Statement;
  readonly #insert: Statement;
  readonly #publish: Statement;
  readonly #list: Statement;
  readonly #removeEmpty: Statement;
  readonly #usedBytes: Statement;

  constructor(db: Database) {
    this.#find = db.prepare('SELECT id FROM repositories WHERE name = ?');
    this.#findPublished = db.prepare('SELECT id FROM repositories WHERE name = ? AND published_ms IS NOT NULL');
    this.#insert = db.prepare('INSERT INTO repositories (name) VALUES (?) RETURNING id');
    this.#publish = db.prepare('UPDATE repositories SET published_ms = ? WHERE id = ? AND published_ms IS NULL');
    this.#list = db.prepare(
      'SELECT name FROM repositories WHERE published_ms IS NOT NULL AND name > ? ORDER BY name LIMIT ?',
    );
    this.#removeEmpty = db.prepare(
      `DELETE FROM repositories WHERE NOT EXISTS (SELECT 1 FROM blob_links WHERE repository_id = id)
       AND NOT EXISTS (SELECT 1 FROM manifests WHERE repository_id = id)`,
    );
    this.#usedBytes = db.prepare(
      `SELECT (SELECT coalesce(sum(size_bytes), 0) FROM blob_links WHERE repository_id = ?1)
       + (SELECT coalesce(sum(size_bytes), 0) FROM manifests WHERE repository_id = ?1) AS bytes`,
    );
  }

  /** Its number, also while it has no manifest yet. */
  find(name: string): number | undefined {
    const row = this.#find.get(name);
    return row === undefined ? undefined : Number(row['id']);
  }

  /** Its number if clients may know of it. */
  findPublished(name: string): number | undefined {
    const row = this.#findPublished.get(name);
    return row === undefined ? undefined : Number(row['id']);
  }

  ensure(name: string): number {
    return this.find(name) ?? Number(this.#insert.get(name)?.['id']);
  }

  /** From now on clients see it. */
  publish(id: number): void {
    this.#publish.run(Date.now(), id);
  }

  /** Names in byte order. */
  list(page: Page): string[] {
    return this.#list.all(page.after, page.limit).map((row) => String(row['name']));
  }

  /** Bytes of all blobs and manifests linked there, each counted once. */
  usedBytes(id: number): number {
    return Number(this.#usedBytes.get(id)?.['bytes'] ?? 0);
  }

  removeEmpty(): number {
    return Number(this.#removeEmpty.run().changes);
  }
}
