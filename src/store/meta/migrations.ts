import type { Migration } from './database.ts';

/**
 * The store's tables.
 *
 * ```
 * layers            one row per unpacked layer, by chain ID; `dir` names its folder under l/, `blob_digest` what it was
 *                   unpacked from; `boot_id` the boot it was unpacked under, empty once synced to disk
 * images            one row per image: its config digest (the ID) and its manifest
 * image_layers      an image's layers from the bottom: which chain, which blob
 * tags              full reference (docker.io/library/busybox:latest, …@sha256:…) → image, and the index it was chosen from
 * indexes           images of several platforms, by the digest of their index; they live as long as a tag or an
 *                   untagged image's `index_digest` names them
 * index_manifests   what an index lists, in its order; `image_id` is the config of an image whose blobs are here, which is a
 *                   row of `images` once its layers are unpacked
 * index_blobs       what is kept of each manifest of an index, the manifest itself included
 * container_layers  a container's writable layer, by container ID; keeps its parent chain
 * build_cache       key of a build step → the chain that it made, and keeps
 * ```
 *
 * The database decides: a file or folder without a row is a leftover, whoever made it.
 */
export const storeMigrations: readonly Migration[] = [
  {
    id: 'store-1-images',
    up: `
      CREATE TABLE layers (
        chain_id TEXT PRIMARY KEY,
        parent_chain_id TEXT REFERENCES layers(chain_id),
        diff_id TEXT NOT NULL,
        blob_digest TEXT NOT NULL,
        dir TEXT NOT NULL UNIQUE,
        size_bytes INTEGER NOT NULL,
        tar_size_bytes INTEGER NOT NULL,
        boot_id TEXT NOT NULL
      ) STRICT;
      CREATE INDEX layers_by_diff ON layers(diff_id);
      CREATE INDEX layers_by_blob ON layers(blob_digest);
      CREATE INDEX layers_by_parent ON layers(parent_chain_id);
      CREATE TABLE images (
        id TEXT PRIMARY KEY,
        manifest_digest TEXT NOT NULL,
        parent_id TEXT,
        added_at TEXT NOT NULL,
        tagged_at TEXT
      ) STRICT;
      CREATE INDEX images_by_parent ON images(parent_id);
      CREATE TABLE image_layers (
        image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        chain_id TEXT NOT NULL REFERENCES layers(chain_id),
        blob_digest TEXT NOT NULL,
        PRIMARY KEY (image_id, position)
      ) STRICT;
      CREATE INDEX image_layers_by_chain ON image_layers(chain_id);
      CREATE TABLE tags (
        reference TEXT PRIMARY KEY,
        image_id TEXT NOT NULL REFERENCES images(id)
      ) STRICT;
      CREATE INDEX tags_by_image ON tags(image_id);
      CREATE TABLE container_layers (
        container_id TEXT PRIMARY KEY,
        parent_chain_id TEXT REFERENCES layers(chain_id)
      ) STRICT;
      CREATE INDEX container_layers_by_parent ON container_layers(parent_chain_id);
    `,
  },
  {
    id: 'store-2-indexes',
    up: `
      CREATE TABLE indexes (digest TEXT PRIMARY KEY) STRICT;
      CREATE TABLE index_manifests (
        index_digest TEXT NOT NULL REFERENCES indexes(digest) ON DELETE CASCADE,
        manifest_digest TEXT NOT NULL,
        position INTEGER NOT NULL,
        kind TEXT NOT NULL,
        descriptor TEXT NOT NULL,
        image_id TEXT,
        PRIMARY KEY (index_digest, manifest_digest)
      ) STRICT;
      CREATE INDEX index_manifests_by_image ON index_manifests(image_id);
      CREATE INDEX index_manifests_by_manifest ON index_manifests(manifest_digest);
      CREATE TABLE index_blobs (
        index_digest TEXT NOT NULL,
        manifest_digest TEXT NOT NULL,
        blob_digest TEXT NOT NULL,
        PRIMARY KEY (index_digest, manifest_digest, blob_digest),
        FOREIGN KEY (index_digest, manifest_digest)
          REFERENCES index_manifests(index_digest, manifest_digest) ON DELETE CASCADE
      ) STRICT;
      ALTER TABLE tags ADD COLUMN index_digest TEXT REFERENCES indexes(digest);
      CREATE INDEX tags_by_index ON tags(index_digest);
      ALTER TABLE images ADD COLUMN index_digest TEXT REFERENCES indexes(digest) ON DELETE SET NULL;
      CREATE INDEX images_by_index ON images(index_digest);
      CREATE INDEX images_by_manifest ON images(manifest_digest);
    `,
  },
  {
    id: 'store-3-build-cache',
    up: `
      CREATE TABLE build_cache (
        key TEXT PRIMARY KEY,
        chain_id TEXT NOT NULL REFERENCES layers(chain_id),
        kind TEXT NOT NULL,
        description TEXT NOT NULL,
        created_at TEXT NOT NULL,
        last_used_at TEXT NOT NULL,
        uses INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX build_cache_by_chain ON build_cache(chain_id);
    `,
  },
];
