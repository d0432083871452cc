import type { Exchange } from './exchange.ts';
import { describeFailure } from './status.ts';

export interface LinesOptions<T> {
  encode(item: T): string;
  /** Docker ends progress lines with CR LF, others with LF. */
  lineEnd: '\r\n' | '\n';
  /** Send the head before the first item: nothing that fails later has a status then. */
  headFirst: boolean;
  /** The line that reports a failure after the first line; without it the connection is cut. */
  encodeFailure?: (message: string) => string;
}

/**
 * Answers with one JSON document per line as `items` yields them. A failure before the first line becomes a status (it is
 * thrown); a later one becomes a last line. The iterator is closed when the client goes away.
 */
export async function sendLines<T>(
  exchange: Exchange,
  items: AsyncIterable<T>,
  options: LinesOptions<T>,
): Promise<void> {
  const { signal } = exchange;
  const iterator = items[Symbol.asyncIterator]();
  let writer = options.headFirst ? exchange.stream('application/json') : undefined;
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      writer ??= exchange.stream('application/json');
      const slow = writer.write(Buffer.from(`${options.encode(next.value)}${options.lineEnd}`));
      if (slow) await slow;
      if (signal.aborted) break;
    }
  } catch (error) {
    if (!writer) throw error;
    if (!signal.aborted) {
      if (!options.encodeFailure) throw error;
      void writer.write(Buffer.from(`${options.encodeFailure(describeFailure(error).message)}${options.lineEnd}`));
    }
  } finally {
    await iterator.return?.();
  }
  (writer ?? exchange.stream('application/json')).end();
}
