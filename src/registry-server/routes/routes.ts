import type { Digest } from '#spec';
import { type Exchange, sendJson } from '../http/exchange.ts';
import type { Routes } from '../http/routes.ts';
import type { ManifestReference } from '../names.ts';
import type { RegistryStorage } from '../storage/registry-storage.ts';
import { deleteBlob, getBlob } from './blobs.ts';
import { listCatalog, listReferrers, listTags } from './lists.ts';
import { deleteManifest, getManifest, putManifest } from './manifests.ts';
import { UploadRoutes, type UploadRules } from './uploads.ts';

/** Told of what happened to content, after it was answered. */
export interface ContentEvents {
  manifestPulled(exchange: Exchange, repository: string, reference: string): void;
  manifestPushed(exchange: Exchange, repository: string, digest: Digest, tags: readonly string[]): void;
  manifestDeleted(exchange: Exchange, repository: string, reference: ManifestReference): void;
  blobPulled(exchange: Exchange, repository: string, digest: string): void;
  blobPushed(exchange: Exchange, repository: string, digest: Digest, mountedFrom?: string): void;
  blobDeleted(exchange: Exchange, repository: string, digest: string): void;
}

/** The endpoints of the distribution-spec over a storage. */
export function registryRoutes(storage: RegistryStorage, rules: UploadRules, events: ContentEvents): Routes {
  const uploads = new UploadRoutes(storage, rules, (...pushed) => events.blobPushed(...pushed));
  return {
    base: {
      GET: { action: 'base', run: ({ response }) => sendJson(response, 200, {}) },
      HEAD: { action: 'base', run: ({ response }) => sendJson(response, 200, {}) },
    },
    catalog: { GET: { action: 'catalog', run: (exchange) => listCatalog(storage, exchange) } },
    tags: { GET: { action: 'pull', run: (exchange, { repository }) => listTags(storage, exchange, repository) } },
    referrers: { GET: { action: 'pull', run: (exchange, target) => listReferrers(storage, exchange, target) } },
    blob: {
      GET: {
        action: 'pull',
        run: async (exchange, target) => {
          await getBlob(storage, exchange, target);
          events.blobPulled(exchange, target.repository, target.digest);
        },
      },
      HEAD: { action: 'pull', run: (exchange, target) => getBlob(storage, exchange, target) },
      DELETE: {
        action: 'delete',
        run: async (exchange, target) => {
          await deleteBlob(storage, exchange, target);
          events.blobDeleted(exchange, target.repository, target.digest);
        },
      },
    },
    uploads: {
      POST: { action: 'push', run: (exchange, { repository }) => uploads.begin(exchange, repository) },
    },
    upload: {
      GET: { action: 'push', run: (exchange, target) => uploads.status(exchange, target) },
      PATCH: { action: 'push', run: (exchange, target) => uploads.append(exchange, target) },
      PUT: { action: 'push', run: (exchange, target) => uploads.finish(exchange, target) },
      DELETE: { action: 'push', run: (exchange, target) => uploads.cancel(exchange, target) },
    },
    manifest: {
      GET: {
        action: 'pull',
        run: async (exchange, target) => {
          await getManifest(storage, exchange, target);
          events.manifestPulled(exchange, target.repository, target.reference);
        },
      },
      HEAD: { action: 'pull', run: (exchange, target) => getManifest(storage, exchange, target) },
      PUT: {
        action: 'push',
        run: async (exchange, target) => {
          const { digest, tags } = await putManifest(storage, exchange, target);
          events.manifestPushed(exchange, target.repository, digest, tags);
        },
      },
      DELETE: {
        action: 'delete',
        run: async (exchange, target) => {
          const reference = await deleteManifest(storage, exchange, target);
          events.manifestDeleted(exchange, target.repository, reference);
        },
      },
    },
  };
}
