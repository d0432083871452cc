import type { Migration } from './database.ts';

/**
 * The store's tables.
 *
 * ```
 * images      one row per image: its config digest, its manifest, when it was added
 * image_layers  an image's layers from the bottom: which blob, which chain
 * tags        full reference (docker.io/library/busybox:latest) → image
 * layers      one row per unpacked layer, by chain ID; `dir` names its folder under snapshots/
 * containers_layers  a container's writable layer; its parent chain is in use
 * leases      pins while something is being built, by owner; gone at the next start
 * ```
 */
export const storeMigrations: readonly Migration[] = [
  {
    id: 'store-1-images',
    up: `
      CREATE TABLE layers (
        chain_id TEXT PRIMARY KEY,
        parent_chain_id TEXT,
        diff_id TEXT NOT NULL,
        blob_digest TEXT NOT NULL,
        dir TEXT NOT NULL UNIQUE,
        size_bytes INTEGER NOT NULL,
        tar_size_bytes INTEGER NOT NULL,
        boot_id TEXT NOT NULL
      ) STRICT;
      CREATE TABLE images (
        id TEXT PRIMARY KEY,
        manifest_digest TEXT NOT NULL,
        top_chain_id TEXT,
        size_bytes INTEGER NOT NULL,
        added_at TEXT NOT NULL,
        last_tagged_at TEXT,
        parent_id TEXT
      ) STRICT;
      CREATE TABLE image_layers (
        image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        chain_id TEXT NOT NULL,
        blob_digest TEXT NOT NULL,
        PRIMARY KEY (image_id, position)
      ) STRICT;
      CREATE INDEX image_layers_by_chain ON image_layers(chain_id);
      CREATE TABLE tags (
        reference TEXT PRIMARY KEY,
        image_id TEXT NOT NULL REFERENCES images(id),
        kind TEXT NOT NULL CHECK (kind IN ('tag', 'digest'))
      ) STRICT;
      CREATE INDEX tags_by_image ON tags(image_id);
      CREATE TABLE container_layers (
        container_id TEXT PRIMARY KEY,
        parent_chain_id TEXT,
        dir TEXT NOT NULL UNIQUE,
        volatile INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE TABLE leases (
        owner TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('blob', 'layer', 'image')),
        target TEXT NOT NULL,
        PRIMARY KEY (owner, kind, target)
      ) STRICT;
    `,
  },
];
