import { once } from 'node:events';
import type { Digest } from '#spec';
import { registryError } from '../errors.ts';
import { type Exchange, expectWaiting, sendEmpty } from '../http/exchange.ts';
import type { Route, Routes } from '../http/routes.ts';
import { parseContentDigest, parseManifestReference } from '../names.ts';
import type { RegistryStorage } from '../storage/registry-storage.ts';
import type { Upstream } from './upstream.ts';

type BlobTarget = Parameters<Route<'blob'>['run']>[1];

/** The routes of a cache: reading brings here what is asked for, writing is refused. */
export function proxyRoutes(routes: Routes, storage: RegistryStorage, upstream: Upstream): Routes {
  const readManifest = (inner: Route<'manifest'> | undefined): Route<'manifest'> => ({
    action: 'pull',
    run: async (exchange, target) => {
      const reference = parseManifestReference(target.reference);
      await upstream.ensureManifest(target.repository, reference, exchange.signal);
      await inner?.run(exchange, target);
    },
  });
  const { blob, manifest, tags, referrers, base, catalog } = routes;
  return {
    base,
    catalog,
    tags,
    referrers,
    manifest: {
      GET: readManifest(manifest.GET),
      HEAD: readManifest(manifest.HEAD),
      PUT: { action: 'push', run: refuseWriting },
      DELETE: manifest.DELETE ?? { action: 'delete', run: refuseWriting },
    },
    blob: {
      GET: {
        action: 'pull',
        run: async (exchange, target) => {
          if (!(await fetchBlob(storage, upstream, exchange, target))) await blob.GET?.run(exchange, target);
        },
      },
      HEAD: {
        action: 'pull',
        run: async (exchange, target) => {
          const digest = parseContentDigest(target.digest);
          const sizeBytes = upstream.records.sizeBytes(target.repository, digest);
          const isHere = storage.links.find(target.repository, digest) !== undefined;
          if (isHere || sizeBytes === undefined) await blob.HEAD?.run(exchange, target);
          else sendEmpty(exchange.response, 200, blobHeaders(digest, sizeBytes));
        },
      },
    },
    uploads: { POST: { action: 'push', run: refuseWriting } },
    upload: {},
  };
}

function refuseWriting(): never {
  throw registryError('UNSUPPORTED', { message: 'this registry is a cache of another one; push there' });
}

function blobHeaders(digest: Digest, sizeBytes: number): Record<string, string> {
  return {
    'Content-Type': 'application/octet-stream',
    'Content-Length': String(sizeBytes),
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
  };
}

/**
 * Fetches a blob that is not here, handing it through to the client on the way, but for its last piece, which waits until
 * the whole has its digest. False when the usual way answers: the blob is here (now), or nobody knows it.
 */
async function fetchBlob(
  storage: RegistryStorage,
  upstream: Upstream,
  exchange: Exchange,
  { repository, digest: text }: BlobTarget,
): Promise<boolean> {
  const digest = parseContentDigest(text);
  if (storage.links.find(repository, digest)) return false;
  const sizeBytes = upstream.records.sizeBytes(repository, digest);
  if (sizeBytes === undefined) return false;
  expectWaiting(exchange);
  using _lock = await upstream.lockBlob(digest, exchange.signal);
  if (storage.links.find(repository, digest)) return false;
  const isWhole = exchange.request.headers.range === undefined && exchange.request.method === 'GET';
  await using writer = await storage.blobs.createWriter();
  let held: Buffer | undefined;
  // Who asked first may leave; the others who wait, and the next who ask, want it still.
  const { signal } = new AbortController();
  for await (const chunk of upstream.repository(repository).readBlob({ digest, sizeBytes }, { signal })) {
    if (isWhole) {
      if (!exchange.response.headersSent) exchange.response.writeHead(200, blobHeaders(digest, sizeBytes));
      if (held) await sendPiece(exchange, held);
      held = chunk;
    }
    await writer.write(chunk);
  }
  await storage.commitBlob(repository, await writer.finish(), digest);
  if (!isWhole) return false;
  if (!exchange.response.headersSent) exchange.response.writeHead(200, blobHeaders(digest, sizeBytes));
  exchange.response.end(held);
  return true;
}

async function sendPiece({ response, signal }: Exchange, piece: Buffer): Promise<void> {
  if (response.destroyed || response.write(piece)) return;
  await once(response, 'drain', { signal }).catch(() => undefined);
}
