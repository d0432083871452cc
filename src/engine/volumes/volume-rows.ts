import type { Database, Migration, Statement } from '#store';
import { formatRfc3339Nano, nowNano } from '#lib';

/**
 * volumes: the row is the volume; a local one's directory is made on first use. `populated`: 2 while it is being filled
 * from an image, else of no meaning.
 * volume_uses: who (a container) has, or is about to have, a volume mounted that has to be mounted for it. The row comes
 * before the mount and goes after it.
 */
export const volumeMigrations: readonly Migration[] = [
  {
    id: 'volumes-0001',
    up: `
      CREATE TABLE volumes (
        name TEXT PRIMARY KEY,
        created_at TEXT NOT NULL,
        anonymous INTEGER NOT NULL,
        labels TEXT NOT NULL,
        populated INTEGER NOT NULL DEFAULT 0
      ) STRICT;
    `,
  },
  {
    id: 'volumes-0002',
    up: `
      ALTER TABLE volumes ADD COLUMN driver TEXT NOT NULL DEFAULT 'local';
      ALTER TABLE volumes ADD COLUMN options TEXT NOT NULL DEFAULT 'null';
      CREATE TABLE volume_uses (
        ref TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (ref, name)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX volume_uses_by_name ON volume_uses(name);
    `,
  },
];

/** A volume as stored. */
export interface Volume {
  name: string;
  createdAt: string;
  anonymous: boolean;
  labels: Record<string, string>;
  driver: string;
  options: Record<string, string> | null;
}

/** What a new volume is to be. */
export interface NewVolume {
  name: string;
  anonymous: boolean;
  driver: string;
  labels?: Record<string, string> | undefined;
  options?: Record<string, string> | null | undefined;
}

const filling = 2;

/** The volumes' tables. */
export class VolumeRows {
  readonly #db: Database;
  readonly #insert: Statement;
  readonly #select: Statement;
  readonly #selectAll: Statement;
  readonly #delete: Statement;
  readonly #setPopulated: Statement;
  readonly #insertUse: Statement;
  readonly #deleteUse: Statement;
  readonly #usesOf: Statement;
  readonly #usesBy: Statement;
  readonly #allUses: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#insert = db.prepare(
      'INSERT OR IGNORE INTO volumes (name, created_at, anonymous, labels, driver, options) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#select = db.prepare('SELECT * FROM volumes WHERE name = ?');
    this.#selectAll = db.prepare('SELECT * FROM volumes ORDER BY name');
    this.#delete = db.prepare('DELETE FROM volumes WHERE name = ?');
    this.#setPopulated = db.prepare('UPDATE volumes SET populated = ? WHERE name = ?');
    this.#insertUse = db.prepare('INSERT OR IGNORE INTO volume_uses (ref, name) VALUES (?, ?)');
    this.#deleteUse = db.prepare('DELETE FROM volume_uses WHERE ref = ? AND name = ?');
    this.#usesOf = db.prepare('SELECT ref FROM volume_uses WHERE name = ?');
    this.#usesBy = db.prepare('SELECT name FROM volume_uses WHERE ref = ?');
    this.#allUses = db.prepare('SELECT DISTINCT ref FROM volume_uses');
  }

  /** True when it is new. */
  insert(volume: NewVolume): boolean {
    const row = this.#insert.run(
      volume.name,
      formatRfc3339Nano(nowNano()),
      volume.anonymous ? 1 : 0,
      JSON.stringify(volume.labels ?? {}),
      volume.driver,
      JSON.stringify(volume.options ?? null),
    );
    return Number(row.changes) === 1;
  }

  find(name: string): Volume | undefined {
    const row = this.#select.get(name);
    return row === undefined ? undefined : decode(row);
  }

  list(): Volume[] {
    return this.#selectAll.all().map(decode);
  }

  /** True when there was one. */
  delete(name: string): boolean {
    return Number(this.#delete.run(name).changes) === 1;
  }

  isFilling(name: string): boolean {
    return this.#select.get(name)?.['populated'] === filling;
  }

  setFilling(name: string, is: boolean): void {
    this.#db.relaxed(() => this.#setPopulated.run(is ? filling : 1, name));
  }

  // A machine's end takes the mounts with it, so these rows need not wait for the disk.
  addUse(ref: string, name: string): void {
    this.#db.relaxed(() => this.#insertUse.run(ref, name));
  }

  removeUse(ref: string, name: string): void {
    this.#db.relaxed(() => this.#deleteUse.run(ref, name));
  }

  /** Who uses a volume. */
  usesOf(name: string): string[] {
    return this.#usesOf.all(name).map((row) => String(row['ref']));
  }

  /** The volumes that one has mounted. */
  usesBy(ref: string): string[] {
    return this.#usesBy.all(ref).map((row) => String(row['name']));
  }

  /** Everybody who has a volume mounted. */
  users(): string[] {
    return this.#allUses.all().map((row) => String(row['ref']));
  }
}

function decode(row: Record<string, unknown>): Volume {
  const labels: Record<string, string> = JSON.parse(String(row['labels']));
  const options: Record<string, string> | null = JSON.parse(String(row['options']));
  return {
    name: String(row['name']),
    createdAt: String(row['created_at']),
    anonymous: row['anonymous'] === 1,
    labels,
    driver: String(row['driver']),
    options,
  };
}
