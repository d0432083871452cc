import type { Migration } from '#store';

/**
 * The registry's tables.
 *
 * ```
 * repositories         by name; published_ms is set by the first manifest, and only from then on it is there for clients
 * blob_links           a blob is visible in a repository only by its row here; seen_ms keeps it from the collector
 * manifests            per repository; the bytes are a blob of the store
 * manifest_references  what a manifest needs: blobs and child manifests
 * tags                 name → manifest of the same repository
 * uploads              begun and not finished; the bytes are in uploads/<id>, and how many is that file's length
 * notifications        events not yet delivered, per endpoint, in order
 * upstream_contents    of a cache: what its manifests name, fetched when it is asked for, and how long it is
 * upstream_checks      of a cache: when a tag or digest was last compared with, or asked for through, the upstream
 * ```
 */
export const registryMigrations: readonly Migration[] = [
  {
    id: 'registry-1-content',
    up: `
      CREATE TABLE repositories (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        published_ms INTEGER
      ) STRICT;
      CREATE TABLE blob_links (
        repository_id INTEGER NOT NULL REFERENCES repositories(id) ON DELETE CASCADE,
        digest TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        seen_ms INTEGER NOT NULL,
        PRIMARY KEY (repository_id, digest)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX blob_links_by_digest ON blob_links(digest);
      CREATE TABLE manifests (
        repository_id INTEGER NOT NULL REFERENCES repositories(id) ON DELETE CASCADE,
        digest TEXT NOT NULL,
        media_type TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        subject TEXT,
        artifact_type TEXT,
        annotations TEXT,
        pushed_ms INTEGER NOT NULL,
        PRIMARY KEY (repository_id, digest)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX manifests_by_digest ON manifests(digest);
      CREATE INDEX manifests_by_subject ON manifests(repository_id, subject, digest) WHERE subject IS NOT NULL;
      CREATE TABLE manifest_references (
        repository_id INTEGER NOT NULL,
        manifest_digest TEXT NOT NULL,
        digest TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('blob', 'manifest')),
        PRIMARY KEY (repository_id, manifest_digest, kind, digest),
        FOREIGN KEY (repository_id, manifest_digest) REFERENCES manifests(repository_id, digest) ON DELETE CASCADE
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX manifest_references_by_digest ON manifest_references(repository_id, digest);
      CREATE TABLE tags (
        repository_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        digest TEXT NOT NULL,
        PRIMARY KEY (repository_id, name),
        FOREIGN KEY (repository_id, digest) REFERENCES manifests(repository_id, digest) ON DELETE CASCADE
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX tags_by_digest ON tags(repository_id, digest);
      CREATE TABLE uploads (
        id TEXT PRIMARY KEY,
        repository TEXT NOT NULL,
        touched_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX uploads_by_time ON uploads(touched_ms);
    `,
  },
  {
    id: 'registry-2-notifications',
    up: `
      CREATE TABLE notifications (
        id INTEGER PRIMARY KEY,
        endpoint TEXT NOT NULL,
        event TEXT NOT NULL
      ) STRICT;
      CREATE INDEX notifications_by_endpoint ON notifications(endpoint, id);
    `,
  },
  {
    id: 'registry-3-cache',
    up: `
      CREATE TABLE upstream_contents (
        repository TEXT NOT NULL,
        digest TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        PRIMARY KEY (repository, digest)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE upstream_checks (
        repository TEXT NOT NULL,
        reference TEXT NOT NULL,
        checked_ms INTEGER NOT NULL,
        PRIMARY KEY (repository, reference)
      ) STRICT, WITHOUT ROWID;
    `,
  },
];
