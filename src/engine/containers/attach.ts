import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AttachConnection, AttachFrame } from '#monitor';
import { DetachFilter } from './detach-keys.ts';

/** One client's end of a process's stdio; what is undefined is not wanted. */
export interface ClientStreams {
  stdin?: Readable | undefined;
  stdout?: Writable | undefined;
  stderr?: Writable | undefined;
  signal: AbortSignal;
}

/** How a client left. */
export type AttachEnd = 'ended' | 'detached' | 'gone';

/**
 * Copies between a client and a process until the output ends, the client detaches or goes away. The end of the
 * client's stdin half-closes the process's and ends nothing else. A client that reads slowly holds the process back.
 */
export async function copyStreams(
  connection: AttachConnection,
  client: ClientStreams,
  detachKeys: Buffer | undefined,
): Promise<AttachEnd> {
  const stop = new AbortController();
  let detached = false;
  const goneOrDetached = AbortSignal.any([client.signal, stop.signal]);
  const input = client.stdin
    ? copyInput(client.stdin, connection.stdin, detachKeys, goneOrDetached, () => {
        detached = true;
        stop.abort();
      })
    : Promise.resolve();
  try {
    await copyOutput(connection.output, client, goneOrDetached);
  } finally {
    stop.abort();
    await input;
    await connection[Symbol.asyncDispose]();
  }
  if (detached) return 'detached';
  return client.signal.aborted ? 'gone' : 'ended';
}

async function copyInput(
  source: Readable,
  target: Writable,
  detachKeys: Buffer | undefined,
  signal: AbortSignal,
  onDetach: () => void,
): Promise<void> {
  try {
    if (detachKeys) await pipeline(source, new DetachFilter(detachKeys, onDetach), target, { signal });
    else await pipeline(source, target, { signal });
  } catch {
    // The client or the process went away; the output side tells which and reports it.
  }
}

async function copyOutput(output: Readable, client: ClientStreams, signal: AbortSignal): Promise<void> {
  const abandon = (): void => {
    output.destroy();
  };
  signal.addEventListener('abort', abandon, { once: true });
  try {
    if (signal.aborted) return;
    for await (const frame of output as AsyncIterable<AttachFrame>) {
      const target = frame.stream === 'stderr' ? client.stderr : client.stdout;
      if (!target || target.destroyed) continue;
      if (!target.write(frame.data)) await drained(target, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', abandon);
  }
}

async function drained(target: Writable, signal: AbortSignal): Promise<void> {
  if (target.destroyed || !target.writableNeedDrain || signal.aborted) return;
  // By hand: this happens for most frames of a stream in bulk, where abort signals and their errors cost a tenth.
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      target.off('drain', settle);
      target.off('close', settle);
      signal.removeEventListener('abort', settle);
      resolve();
    };
    target.on('drain', settle);
    target.on('close', settle);
    signal.addEventListener('abort', settle);
  });
}
