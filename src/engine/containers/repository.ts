import { decodeSandbox, type StoredSandbox } from '#net';
import { type ContainerId, emptyEndpointSettings } from '#spec';
import type { Database, Migration, Statement } from '#store';
import { nameInUse } from './errors.ts';
import type { ContainerRecord } from './record.ts';

/**
 * containers: one row each; `name` is unique, `record` is the JSON of a {@link ContainerRecord}.
 * container_tombstones: removed from view, its files, kernel objects and these volumes still to go.
 */
export const containerMigrations: readonly Migration[] = [
  {
    id: 'containers-0001',
    up: `
      CREATE TABLE containers (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        record TEXT NOT NULL
      ) STRICT;
      CREATE TABLE container_tombstones (
        id TEXT PRIMARY KEY,
        volumes TEXT NOT NULL
      ) STRICT;
    `,
  },
];

/** Containers in memory, written through to sqlite; what is in memory is what is committed. */
export class ContainerRepository {
  readonly #byId = new Map<string, ContainerRecord>();
  readonly #idByName = new Map<string, ContainerId>();
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #delete: Statement;
  readonly #bury: Statement;
  readonly #unbury: Statement;
  readonly #buried: Statement;
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    this.#insert = db.prepare('INSERT INTO containers (id, name, record) VALUES (?, ?, ?)');
    this.#update = db.prepare('UPDATE containers SET name = ?, record = ? WHERE id = ?');
    this.#delete = db.prepare('DELETE FROM containers WHERE id = ?');
    this.#bury = db.prepare('INSERT OR IGNORE INTO container_tombstones (id, volumes) VALUES (?, ?)');
    this.#unbury = db.prepare('DELETE FROM container_tombstones WHERE id = ?');
    this.#buried = db.prepare('SELECT id, volumes FROM container_tombstones');
    for (const row of db.prepare('SELECT record FROM containers').all()) {
      const record = decode(row['record']);
      this.#byId.set(record.id, record);
      this.#idByName.set(record.name, record.id);
    }
  }

  list(): ContainerRecord[] {
    return [...this.#byId.values()];
  }

  get(id: string): ContainerRecord | undefined {
    return this.#byId.get(id);
  }

  getByName(name: string): ContainerRecord | undefined {
    const id = this.#idByName.get(name);
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** All whose ID starts with `prefix`. */
  withPrefix(prefix: string): ContainerRecord[] {
    return this.list().filter((record) => record.id.startsWith(prefix));
  }

  /**
   * Stores a new container; `alsoStore` writes what belongs to it in the same transaction.
   *
   * @throws conflict when the name is taken.
   */
  insert(record: ContainerRecord, alsoStore: () => void): void {
    this.#assertNameFree(record);
    this.#db.transaction(() => {
      this.#insert.run(record.id, record.name, encode(record));
      alsoStore();
    });
    this.#byId.set(record.id, record);
    this.#idByName.set(record.name, record.id);
  }

  /**
   * Replaces the stored record by `record`.
   *
   * @throws conflict when its name was changed to one that is taken.
   */
  save(record: ContainerRecord): void {
    const before = this.#byId.get(record.id);
    if (before === undefined) return;
    this.#assertNameFree(record);
    this.#update.run(record.name, encode(record), record.id);
    this.#idByName.delete(before.name);
    this.#idByName.set(record.name, record.id);
    this.#byId.set(record.id, record);
  }

  /** As `save`, without waiting for the disk: the machine's sudden end may lose it. */
  saveRelaxed(record: ContainerRecord): void {
    this.#db.relaxed(() => this.save(record));
  }

  /** Takes the container out of view in one transaction; `buried` knows it until `forget`. */
  bury(record: ContainerRecord, volumes: readonly string[]): void {
    this.#db.transaction(() => {
      this.#delete.run(record.id);
      this.#bury.run(record.id, JSON.stringify(volumes));
    });
    this.#byId.delete(record.id);
    this.#idByName.delete(record.name);
  }

  buried(): { id: string; volumes: string[] }[] {
    return this.#buried.all().map((row) => {
      const volumes: string[] = JSON.parse(String(row['volumes']));
      return { id: String(row['id']), volumes };
    });
  }

  forget(id: string): void {
    // What start-up finds buried it only sweeps once more.
    this.#db.relaxed(() => this.#unbury.run(id));
  }

  #assertNameFree(record: ContainerRecord): void {
    const holder = this.#idByName.get(record.name);
    if (holder !== undefined && holder !== record.id) throw nameInUse(record.name, holder);
  }
}

function encode(record: ContainerRecord): string {
  return JSON.stringify(record);
}

/** What versions before this one wrote: one network for each container, and nothing asked of it. */
type FormerRecord = Omit<ContainerRecord, 'sandbox' | 'endpoints'> & {
  sandbox?: StoredSandbox;
  endpoints?: ContainerRecord['endpoints'];
};

/** Rows are only ever written by {@link encode}, of this version or of an earlier one. */
export function decode(text: unknown): ContainerRecord {
  const { sandbox, endpoints, ...stored }: FormerRecord = JSON.parse(String(text));
  const { NetworkMode } = stored.hostConfig;
  const joins = NetworkMode.startsWith('container:');
  return {
    ...stored,
    sandbox: sandbox && decodeSandbox(sandbox),
    endpoints: endpoints ?? (joins ? {} : { [NetworkMode]: emptyEndpointSettings() }),
  };
}
