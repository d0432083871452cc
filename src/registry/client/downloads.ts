import { EngineError } from '#errors';
import { readBlobFrom } from './blobs.ts';
import type { BlobWanted } from './contract.ts';
import { cancelled, connectionFailureOf, isTransient, registryFailure } from './failures.ts';
import type { RegistryLimits } from './limits.ts';
import { pause, retryDelayMs } from './retry.ts';
import type { Session } from './session.ts';

/** Where a blob may come from, in the order of trying. The last one's failure is the user's. */
export interface BlobSource {
  readonly session: () => Promise<Session>;
  readonly onFailure: (error: unknown) => void;
  readonly isLast: boolean;
}

export interface DownloadOptions {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly limits: RegistryLimits;
  readonly onRetry?: ((attempt: number, delayMs: number) => void) | undefined;
}

/**
 * All bytes of a blob, in order, each once. A break is healed where it happened, by a request for the rest: some times at the same source,
 * then at the next.
 */
export async function* downloadBlob(
  blob: BlobWanted,
  sources: readonly BlobSource[],
  options: DownloadOptions,
): AsyncGenerator<Buffer, void> {
  let offsetBytes = 0;
  for (const source of sources) {
    let attempt = 0;
    let failedAtBytes = 0;
    while (offsetBytes < blob.sizeBytes) {
      try {
        const session = await source.session();
        const place = { path: options.path, blob, offsetBytes };
        for await (const chunk of readBlobFrom(session, place, options.signal)) {
          offsetBytes += chunk.length;
          yield chunk;
        }
        if (offsetBytes < blob.sizeBytes) throw endedEarly(blob, offsetBytes);
      } catch (error) {
        if (options.signal.aborted) throw cancelled(options.signal);
        if (offsetBytes - failedAtBytes >= options.limits.progressBytes) attempt = 0;
        failedAtBytes = offsetBytes;
        attempt += 1;
        const delayMs = delayAfter(error, attempt, source, options.limits);
        if (delayMs === undefined) {
          source.onFailure(error);
          if (source.isLast) throw error;
          break;
        }
        options.onRetry?.(attempt, delayMs);
        await pause(delayMs, options.signal);
      }
    }
    if (offsetBytes >= blob.sizeBytes) return;
  }
}

/** A mirror that cannot be reached is not waited for; a connection that broke in the middle is worth the same again. */
function delayAfter(error: unknown, attempt: number, source: BlobSource, limits: RegistryLimits): number | undefined {
  const wasRefused = connectionFailureOf(error) === 'refused' && attempt > 1;
  if (!source.isLast && !(isTransient(error) && connectionFailureOf(error) === 'reset')) return undefined;
  // Refused at first: nobody is there. Refused after a break: it may be coming back.
  const again = wasRefused && error instanceof EngineError ? asTransient(error) : error;
  return retryDelayMs(again, attempt, limits);
}

function asTransient(error: EngineError): EngineError {
  return new EngineError(error.kind, error.code, error.message, { details: { ...error.details, transient: true } });
}

function endedEarly(blob: BlobWanted, offsetBytes: number): EngineError {
  return registryFailure(
    'unavailable',
    'BLOB_TRUNCATED',
    `unexpected EOF: ${offsetBytes} of ${blob.sizeBytes} bytes of ${blob.digest} came`,
    { transient: true, connection: 'reset' },
  );
}
