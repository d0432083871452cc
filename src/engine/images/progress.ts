import { findEngineError } from '#errors';
import type { ProgressLine } from '#spec';

const BAR_WIDTH = 50;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A size as Docker's progress shows it: four digits, powers of 1000. */
function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${Number(size.toPrecision(4))}${UNITS[unit] ?? ''}`;
}

/** The text form of a progress, as old clients print it. */
export function progressBar(current: number, total: number): string {
  if (total <= 0) return current <= 0 ? '' : humanSize(current).padStart(8);
  const filled = Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  const bar = `[${'='.repeat(filled)}>${' '.repeat(BAR_WIDTH - filled)}]`;
  const amount = humanSize(current).padStart(8);
  return current > total ? `${bar} ${amount}` : `${bar} ${amount}/${humanSize(total)}`;
}

/** One line about a layer that is on its way. */
export function layerProgress(status: string, id: string, current: number, total: number): ProgressLine {
  return { status, progressDetail: { current, total }, progress: progressBar(current, total), id };
}

/** One line about a layer's state. */
export function layerStatus(status: string, id: string): ProgressLine {
  return { status, progressDetail: {}, id };
}

/**
 * Runs `work`, which reports lines as it goes, and hands them out in order. A failure before the first line is thrown,
 * a later one is the last line. Breaking off the iteration aborts the work and waits for its end.
 */
export async function* reportProgress(
  work: (report: (line: ProgressLine) => void, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<ProgressLine, void, undefined> {
  const stop = new AbortController();
  const lines: ProgressLine[] = [];
  let wake = Promise.withResolvers<void>();
  let isOver = false;
  let begun = false;
  const report = (line: ProgressLine): void => {
    lines.push(line);
    wake.resolve();
  };
  const working = work(report, AbortSignal.any([signal, stop.signal])).finally(() => {
    isOver = true;
    wake.resolve();
  });
  working.catch(() => undefined);
  try {
    for (;;) {
      wake = Promise.withResolvers<void>();
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
        begun = true;
        yield line;
      }
      if (isOver) break;
      if (lines.length === 0) await wake.promise;
    }
    await working;
  } catch (error) {
    if (!begun) throw error;
    yield errorLine(error);
  } finally {
    stop.abort();
    await working.catch(() => undefined);
  }
}

function errorLine(error: unknown): ProgressLine {
  const message = findEngineError(error)?.message ?? (error instanceof Error ? error.message : String(error));
  return { errorDetail: { message }, error: message };
}
