import type { ChainId } from '#spec';
import type { Database, Row, Statement } from '../meta/index.ts';

/** What a build step made, kept so that the same step need not run again. Its layers stay as long as it does. */
export interface BuildCacheRecord {
  /** Digest of everything that decides the result. */
  readonly key: string;
  readonly chainId: ChainId;
  /** What kind of step: `run`, `copy`, `mkdir`. */
  readonly kind: string;
  /** The instruction, for people. */
  readonly description: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339. */
  readonly lastUsedAt: string;
  readonly uses: number;
}

function fromRow(row: Row): BuildCacheRecord {
  return {
    key: String(row['key']),
    chainId: String(row['chain_id']) as ChainId,
    kind: String(row['kind']),
    description: String(row['description']),
    createdAt: String(row['created_at']),
    lastUsedAt: String(row['last_used_at']),
    uses: Number(row['uses']),
  };
}

/** The rows of `build_cache`; each is a root of the collection. All calls are synchronous. */
export class BuildCacheRecords {
  readonly #db: Database;
  readonly #find: Statement;
  readonly #list: Statement;
  readonly #put: Statement;
  readonly #touch: Statement;
  readonly #remove: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#find = db.prepare('SELECT * FROM build_cache WHERE key = ?');
    this.#list = db.prepare('SELECT * FROM build_cache ORDER BY last_used_at, created_at');
    this.#put = db.prepare(
      `INSERT INTO build_cache VALUES (?, ?, ?, ?, ?, ?, 1)
       ON CONFLICT(key) DO UPDATE SET chain_id = excluded.chain_id, created_at = excluded.created_at,
         last_used_at = excluded.last_used_at, uses = build_cache.uses + 1`,
    );
    this.#touch = db.prepare('UPDATE build_cache SET last_used_at = ?, uses = uses + 1 WHERE key = ?');
    this.#remove = db.prepare('DELETE FROM build_cache WHERE key = ?');
  }

  find(key: string): BuildCacheRecord | undefined {
    const row = this.#find.get(key);
    return row && fromRow(row);
  }

  /** The one not used for the longest time first. */
  list(): BuildCacheRecord[] {
    return this.#list.all().map(fromRow);
  }

  /** Adds a record, or replaces the one of that key. Its layers must be in the store, pinned. */
  put(record: Omit<BuildCacheRecord, 'lastUsedAt' | 'uses'>): void {
    const { key, chainId, kind, description, createdAt } = record;
    this.#db.relaxed(() => this.#put.run(key, chainId, kind, description, createdAt, createdAt));
  }

  /** It was of use again. @param at - RFC 3339. */
  touch(key: string, at: string): void {
    this.#db.relaxed(() => this.#touch.run(at, key));
  }

  remove(key: string): void {
    this.#remove.run(key);
  }
}
