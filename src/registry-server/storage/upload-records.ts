import type { Database, Statement } from '#store';

/** Uploads that were begun. Losing one in a crash of the machine only makes its client start over, so nothing waits for the disk. */
export class UploadRecords {
  readonly #db: Database;
  readonly #insert: Statement;
  readonly #find: Statement;
  readonly #touch: Statement;
  readonly #remove: Statement;
  readonly #expired: Statement;
  readonly #count: Statement;
  readonly #ids: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#insert = db.prepare('INSERT INTO uploads (id, repository, touched_ms) VALUES (?, ?, ?)');
    this.#find = db.prepare('SELECT 1 FROM uploads WHERE id = ? AND repository = ?');
    this.#touch = db.prepare('UPDATE uploads SET touched_ms = ? WHERE id = ?');
    this.#remove = db.prepare('DELETE FROM uploads WHERE id = ?');
    this.#expired = db.prepare('SELECT id FROM uploads WHERE touched_ms < ?');
    this.#count = db.prepare('SELECT count(*) AS count FROM uploads');
    this.#ids = db.prepare('SELECT id FROM uploads');
  }

  insert(id: string, repository: string): void {
    this.#db.relaxed(() => this.#insert.run(id, repository, Date.now()));
  }

  /** Whether this upload belongs to this repository. */
  exists(id: string, repository: string): boolean {
    return this.#find.get(id, repository) !== undefined;
  }

  touch(id: string): void {
    this.#db.relaxed(() => this.#touch.run(Date.now(), id));
  }

  remove(id: string): void {
    this.#db.relaxed(() => this.#remove.run(id));
  }

  listUntouchedSince(ms: number): string[] {
    return this.#expired.all(ms).map((row) => String(row['id']));
  }

  ids(): Set<string> {
    return new Set(this.#ids.all().map((row) => String(row['id'])));
  }

  count(): number {
    return Number(this.#count.get()?.['count'] ?? 0);
  }
}
