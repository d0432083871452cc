import { stat } from 'node:fs/promises';
import { isErrno } from '#lib';
import type { Digest } from '#spec';
import type { RegistryStorage } from './registry-storage.ts';

export interface CheckOptions {
  /** Read every blob and compare its hash, not only its length. */
  readonly content: boolean;
  /** Take out what is missing or damaged, so that it can be pushed again. */
  readonly repair: boolean;
}

export interface CheckReport {
  readonly blobs: number;
  readonly manifests: number;
  readonly problems: readonly string[];
}

/** Compares the database with the files, and manifests with what they need. */
export async function checkStorage(storage: RegistryStorage, options: CheckOptions): Promise<CheckReport> {
  const problems = storage.db.integrityProblems().map((text) => `database: ${text}`);
  const contents = storage.db
    .prepare(
      `SELECT digest, size_bytes, group_concat(DISTINCT name) AS names FROM (
         SELECT digest, size_bytes, repository_id FROM blob_links
         UNION ALL SELECT digest, size_bytes, repository_id FROM manifests
       ) JOIN repositories ON id = repository_id GROUP BY digest, size_bytes ORDER BY digest`,
    )
    .all();
  for (const row of contents) {
    const digest = String(row['digest']) as Digest;
    const problem = await contentProblem(storage, digest, Number(row['size_bytes']), options.content);
    if (problem === undefined) continue;
    problems.push(`blob ${digest} of ${String(row['names'])}: ${problem}${options.repair ? '; removed' : ''}`);
    if (options.repair) await removeEverywhere(storage, digest);
  }
  problems.push(...danglingReferences(storage));
  const manifests = storage.db.prepare('SELECT count(*) AS count FROM manifests').get();
  return { blobs: contents.length, manifests: Number(manifests?.['count'] ?? 0), problems };
}

async function contentProblem(
  storage: RegistryStorage,
  digest: Digest,
  sizeBytes: number,
  content: boolean,
): Promise<string | undefined> {
  try {
    const { size } = await stat(storage.blobs.path(digest));
    if (size !== sizeBytes) return `it has ${size} bytes instead of ${sizeBytes}`;
    if (content && !(await storage.blobs.verify(digest))) return 'its content does not have its digest';
    return undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 'its content is missing';
    throw error;
  }
}

async function removeEverywhere(storage: RegistryStorage, digest: Digest): Promise<void> {
  await storage.write(() => {
    storage.db.prepare('DELETE FROM blob_links WHERE digest = ?').run(digest);
    storage.db.prepare('DELETE FROM manifests WHERE digest = ?').run(digest);
  });
  await storage.blobs.detach(digest)?.();
}

function danglingReferences(storage: RegistryStorage): string[] {
  const rows = storage.db
    .prepare(
      `SELECT name, manifest_digest, r.digest, kind FROM manifest_references AS r JOIN repositories ON id = r.repository_id
       WHERE NOT EXISTS (SELECT 1 FROM upstream_contents AS u WHERE u.repository = name AND u.digest = r.digest)
       AND ((kind = 'blob' AND NOT EXISTS
         (SELECT 1 FROM blob_links AS b WHERE b.repository_id = r.repository_id AND b.digest = r.digest))
       OR (kind = 'manifest' AND NOT EXISTS
         (SELECT 1 FROM manifests AS m WHERE m.repository_id = r.repository_id AND m.digest = r.digest)))`,
    )
    .all();
  return rows.map(
    (row) =>
      `manifest ${String(row['manifest_digest'])} of ${String(row['name'])}: the ${String(row['kind'])} ${String(row['digest'])} is not there`,
  );
}
