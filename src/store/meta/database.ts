import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { EngineError } from '#errors';

/** One step of the schema. Steps are applied once, in the order given; an applied step is never edited. */
export interface Migration {
  /** Unique for ever, by convention `<module>-<number>-<what>`. */
  id: string;
  /** SQL statements. */
  up: string;
}

/** A row as sqlite gives it; decode it once, where it is read. */
export type Row = Record<string, SQLOutputValue>;

/** A prepared statement; keep it in a named private field. */
export interface Statement {
  /** The first row, if any. */
  get(...values: SQLInputValue[]): Row | undefined;
  all(...values: SQLInputValue[]): Row[];
  run(...values: SQLInputValue[]): { changes: number | bigint };
}

/** The one metadata database of an engine: synchronous, durable on commit. */
export interface Database extends Disposable {
  prepare(sql: string): Statement;
  /**
   * Runs `work` in one transaction: all or nothing. Nested calls are savepoints.
   * Await nothing inside, publish nothing inside.
   */
  transaction<T>(work: () => T): T;
  /**
   * Runs one statement that need not be on the disk at once: for what start-up would do again, and for what the next
   * durable commit of the same step takes along. A crash of the machine may undo it, the end of this process never does,
   * and nothing committed before it is ever lost with it.
   */
  relaxed<T>(work: () => T): T;
  /** What sqlite's own check finds wrong; empty when sound. */
  integrityProblems(): string[];
  /** Closing twice is fine. */
  close(): void;
}

class SqliteDatabase implements Database {
  readonly #db: DatabaseSync;
  #depth: number;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#depth = 0;
  }

  prepare(sql: string): Statement {
    return this.#db.prepare(sql);
  }

  transaction<T>(work: () => T): T {
    const [begin, commit, rollback] =
      this.#depth === 0
        ? ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK']
        : [`SAVEPOINT s${this.#depth}`, `RELEASE s${this.#depth}`, `ROLLBACK TO s${this.#depth}`];
    this.#db.exec(begin);
    this.#depth += 1;
    try {
      const result = work();
      this.#db.exec(commit);
      return result;
    } catch (error) {
      this.#db.exec(rollback);
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  relaxed<T>(work: () => T): T {
    // Inside a transaction sqlite takes no change of this setting, and the commit decides.
    if (this.#depth > 0) return work();
    this.#db.exec('PRAGMA synchronous = NORMAL');
    try {
      return work();
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL');
    }
  }

  integrityProblems(): string[] {
    const rows = this.#db.prepare('PRAGMA integrity_check').all();
    const texts = rows.map((row) => String(row['integrity_check']));
    return texts.filter((text) => text !== 'ok');
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function applyMigrations(db: SqliteDatabase, raw: DatabaseSync, migrations: readonly Migration[]): void {
  raw.exec('CREATE TABLE IF NOT EXISTS migrations (id TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT');
  const applied = new Set(
    raw
      .prepare('SELECT id FROM migrations')
      .all()
      .map((row) => String(row['id'])),
  );
  const known = new Set(migrations.map((migration) => migration.id));
  const foreign = [...applied].filter((id) => !known.has(id));
  if (foreign.length > 0) {
    throw new EngineError(
      'internal',
      'DATABASE_TOO_NEW',
      `the database was written by a newer version (unknown schema steps: ${foreign.join(', ')})`,
    );
  }
  const insert = raw.prepare('INSERT INTO migrations (id, applied_at) VALUES (?, ?)');
  for (const migration of migrations) {
    if (applied.has(migration.id)) continue;
    db.transaction(() => {
      raw.exec(migration.up);
      insert.run(migration.id, new Date().toISOString());
    });
  }
}

/**
 * Opens (or makes) the database file and brings its schema up to date.
 *
 * Every module hands in its own migrations, joined in one list by whoever wires the engine; each step is applied in its
 * own transaction. Committed means durable (WAL, `synchronous=FULL`).
 *
 * @throws {@link EngineError} internal when the file has schema steps that `migrations` lacks.
 */
export function openDatabase(path: string, migrations: readonly Migration[]): Database {
  const raw = new DatabaseSync(path, { timeout: 5000 });
  try {
    raw.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    const db = new SqliteDatabase(raw);
    applyMigrations(db, raw, migrations);
    return db;
  } catch (error) {
    raw.close();
    throw error;
  }
}
