import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { formatRfc3339Nano, nowNano } from '#lib';
import type { VolumeInspect } from '#spec';
import type { Database, Migration, Statement } from '#store';
import type { EventBus } from '../events/event-bus.ts';

/** volumes: the row is the volume; its directory is made on first use. `populated`: filled from an image, or used. */
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
];

export interface Volume {
  name: string;
  createdAt: string;
  anonymous: boolean;
  labels: Record<string, string>;
}

/** Directories that outlive containers: `<root>/<name>/_data`. */
export class Volumes {
  readonly #root: string;
  readonly #events: EventBus;
  readonly #insert: Statement;
  readonly #select: Statement;
  readonly #selectAll: Statement;
  readonly #delete: Statement;
  readonly #markPopulated: Statement;

  constructor(root: string, db: Database, events: EventBus) {
    this.#root = root;
    this.#events = events;
    mkdirSync(root, { recursive: true, mode: 0o701 });
    this.#insert = db.prepare(
      'INSERT OR IGNORE INTO volumes (name, created_at, anonymous, labels) VALUES (?, ?, ?, ?)',
    );
    this.#select = db.prepare('SELECT * FROM volumes WHERE name = ?');
    this.#selectAll = db.prepare('SELECT * FROM volumes ORDER BY name');
    this.#delete = db.prepare('DELETE FROM volumes WHERE name = ?');
    this.#markPopulated = db.prepare('UPDATE volumes SET populated = 1 WHERE name = ?');
  }

  /** Host directory of a volume, existing or not. */
  path(name: string): string {
    return join(this.#root, name, '_data');
  }

  /** Stores a volume unless it exists. True when it is new; the caller publishes its event after the commit. */
  ensureRow(name: string, options: { anonymous: boolean; labels?: Record<string, string> }): boolean {
    const row = this.#insert.run(
      name,
      formatRfc3339Nano(nowNano()),
      options.anonymous ? 1 : 0,
      JSON.stringify(options.labels ?? {}),
    );
    return Number(row.changes) === 1;
  }

  announceCreated(name: string): void {
    this.#events.publish('volume', 'create', name, { driver: 'local' });
  }

  find(name: string): Volume | undefined {
    const row = this.#select.get(name);
    return row === undefined ? undefined : decode(row);
  }

  list(): Volume[] {
    return this.#selectAll.all().map(decode);
  }

  /** @throws notFound with Docker's text. */
  get(name: string): Volume {
    const volume = this.find(name);
    if (!volume) throw new EngineError('notFound', 'NO_SUCH_VOLUME', `get ${name}: no such volume`);
    return volume;
  }

  inspect(name: string): VolumeInspect {
    return this.toWire(this.get(name));
  }

  toWire(volume: Volume): VolumeInspect {
    const labels = volume.anonymous ? { 'com.docker.volume.anonymous': '', ...volume.labels } : volume.labels;
    return {
      CreatedAt: volume.createdAt,
      Driver: 'local',
      Labels: Object.keys(labels).length > 0 ? labels : null,
      Mountpoint: this.path(volume.name),
      Name: volume.name,
      Options: null,
      Scope: 'local',
    };
  }

  /** The volume's directory, made if missing, and whether it still waits for its first content. */
  open(name: string): { directory: string; needsContent: boolean } {
    const directory = this.path(name);
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const row = this.#select.get(name);
    return { directory, needsContent: row !== undefined && row['populated'] === 0 };
  }

  markPopulated(name: string): void {
    this.#markPopulated.run(name);
  }

  /** Removes row, then directory. Repeatable; a kill in between leaves a directory that {@link removeOrphans} takes. */
  remove(name: string): void {
    const existed = Number(this.#delete.run(name).changes) === 1;
    rmSync(join(this.#root, name), { recursive: true, force: true });
    if (existed) this.#events.publish('volume', 'destroy', name, { driver: 'local' });
  }

  /** After a kill: directories without a row go. */
  removeOrphans(): string[] {
    const orphans = readdirSync(this.#root).filter((name) => this.find(name) === undefined);
    for (const name of orphans) rmSync(join(this.#root, name), { recursive: true, force: true });
    return orphans;
  }
}

function decode(row: Record<string, unknown>): Volume {
  const labels: Record<string, string> = JSON.parse(String(row['labels']));
  return {
    name: String(row['name']),
    createdAt: String(row['created_at']),
    anonymous: row['anonymous'] === 1,
    labels,
  };
}
