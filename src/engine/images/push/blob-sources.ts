import type { Digest } from '#spec';
import type { Database, Migration, Statement } from '#store';

/** Rows kept; the oldest go first. */
const MAX_ROWS = 50_000;

/**
 * Tables of what is known about blobs in registries.
 *
 * ```
 * blob_sources       repositories that a blob was pulled from or pushed to
 * compressed_layers  what a plain layer blob became when it was pushed
 * ```
 */
export const transferMigrations: readonly Migration[] = [
  {
    id: 'engine-transfers-1',
    up: `
      CREATE TABLE blob_sources (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        digest TEXT NOT NULL,
        domain TEXT NOT NULL,
        path TEXT NOT NULL,
        UNIQUE (digest, domain, path)
      ) STRICT;
      CREATE TABLE compressed_layers (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        plain_digest TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL,
        size_bytes INTEGER NOT NULL
      ) STRICT;
    `,
  },
];

/** Where blobs are in registries, as far as this engine has seen: hints for mounting, and digests of layers compressed before. */
export class BlobSources {
  readonly #db: Database;
  readonly #insert: Statement;
  readonly #find: Statement;
  readonly #isKnown: Statement;
  readonly #trim: Statement;
  readonly #setCompressed: Statement;
  readonly #getCompressed: Statement;
  readonly #trimCompressed: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#insert = db.prepare('INSERT OR REPLACE INTO blob_sources (digest, domain, path) VALUES (?, ?, ?)');
    this.#find = db.prepare(
      'SELECT path FROM blob_sources WHERE digest = ? AND domain = ? ORDER BY number DESC LIMIT 8',
    );
    this.#isKnown = db.prepare('SELECT 1 FROM blob_sources WHERE digest = ? LIMIT 1');
    this.#trim = db.prepare('DELETE FROM blob_sources WHERE number <= (SELECT max(number) FROM blob_sources) - ?');
    this.#setCompressed = db.prepare(
      'INSERT OR REPLACE INTO compressed_layers (plain_digest, digest, size_bytes) VALUES (?, ?, ?)',
    );
    this.#getCompressed = db.prepare('SELECT digest, size_bytes FROM compressed_layers WHERE plain_digest = ?');
    this.#trimCompressed = db.prepare(
      'DELETE FROM compressed_layers WHERE number <= (SELECT max(number) FROM compressed_layers) - ?',
    );
  }

  /** The repository has these blobs, or manifests. */
  remember(repository: { domain: string; path: string }, digests: readonly Digest[]): void {
    this.#db.transaction(() => {
      for (const digest of new Set(digests)) this.#insert.run(digest, repository.domain, repository.path);
      this.#trim.run(MAX_ROWS);
    });
  }

  /** Paths on the registry that have, or had, the blob; the latest first. */
  find(digest: Digest, domain: string): string[] {
    return this.#find.all(digest, domain).map((row) => String(row['path']));
  }

  /** Whether some registry has, or had, the blob or manifest. */
  isKnown(digest: Digest): boolean {
    return this.#isKnown.get(digest) !== undefined;
  }

  rememberCompressed(plain: Digest, blob: { digest: Digest; sizeBytes: number }): void {
    this.#db.transaction(() => {
      this.#setCompressed.run(plain, blob.digest, blob.sizeBytes);
      this.#trimCompressed.run(MAX_ROWS);
    });
  }

  /** What the plain blob was compressed to the last time. */
  findCompressed(plain: Digest): { digest: Digest; sizeBytes: number } | undefined {
    const row = this.#getCompressed.get(plain);
    return row && { digest: String(row['digest']) as Digest, sizeBytes: Number(row['size_bytes']) };
  }
}
