import { type ApiResponse, jsonLines } from '#client';
import type { ProgressLine } from '#spec';
import type { CliContext } from '../context.ts';
import { CliError } from '../framework/errors.ts';
import { humanSize } from './units.ts';

/** Below this the bar is left out, and below the second also the numbers' rest. */
const barColumns = 110;
const barLength = 50;

/**
 * Shows a stream of progress (pull, push, load, import, build) until it ends: on a terminal each id has a line that is
 * rewritten, elsewhere bars are left out.
 *
 * @param onAux - Gets the `aux` members, which are never shown.
 * @throws CliError with the text of an error inside the stream.
 */
export async function showProgress(
  ctx: CliContext,
  response: ApiResponse,
  options: { quiet?: boolean; stream?: 'stdout' | 'stderr'; onAux?: (aux: unknown) => void } = {},
): Promise<void> {
  const stream = options.stream ?? 'stdout';
  const terminal = ctx.io.isTerminal(stream);
  const display = new ProgressDisplay(terminal, terminal ? ctx.io.columns() : 80);
  for await (const line of jsonLines<ProgressLine>(response)) {
    if (line.aux !== undefined && line.aux !== null) {
      options.onAux?.(line.aux);
      continue;
    }
    const failure = line.errorDetail?.message ?? line.error;
    if (failure !== undefined && failure !== '') throw new CliError(failure);
    if (options.quiet === true) continue;
    if (stream === 'stderr') ctx.err(display.render(line));
    else ctx.out(display.render(line));
  }
}

/** Turns lines of progress into what a terminal, or a file, is to get. */
export class ProgressDisplay {
  readonly #terminal: boolean;
  readonly #columns: number;
  readonly #rows = new Map<string, number>();

  constructor(terminal: boolean, columns: number) {
    this.#terminal = terminal;
    this.#columns = columns;
  }

  render(line: ProgressLine): string {
    const id = line.id ?? '';
    const hasProgress = line.progressDetail !== undefined && line.progressDetail !== null;
    if (id === '' || (!hasProgress && (line.progress ?? '') === '')) {
      this.#rows.clear();
      return this.#text(line, hasProgress);
    }
    let before = '';
    let row = this.#rows.get(id);
    if (row === undefined) {
      row = this.#rows.size;
      this.#rows.set(id, row);
      if (this.#terminal) before = '\n';
    }
    const distance = this.#rows.size - row;
    if (!this.#terminal) return this.#text(line, hasProgress);
    return `${before}\x1b[${distance}A${this.#text(line, hasProgress)}\x1b[${distance}B`;
  }

  #text(line: ProgressLine, hasProgress: boolean): string {
    const { id = '', status = '', stream = '' } = line;
    const name = id === '' ? '' : `${id}: `;
    const bar = hasProgress ? progressText(line.progressDetail ?? {}, this.#columns) : '';
    if (hasProgress && !this.#terminal && bar !== '') return '';
    if (hasProgress && this.#terminal && stream === '') return `\x1b[2K\r${name}${status} ${bar}\r`;
    if (!hasProgress && (line.progress ?? '') !== '') return `${name}${status} ${line.progress ?? ''}`;
    if (stream !== '') return `${name}${stream}`;
    return `${name}${status}\n`;
  }
}

/** The bar and the numbers behind a status, `[====>   ]  1.2MB/3MB`. */
export function progressText(detail: NonNullable<ProgressLine['progressDetail']>, columns: number): string {
  const { current = 0, total = 0, units = '', hidecounts = false } = detail;
  if (current <= 0 && total <= 0) return '';
  const amount = units === '' ? humanSize(current) : String(current);
  if (total <= 0) return units === '' ? amount.padStart(8) : `${amount.padStart(8)} ${units}`;
  const half = Math.min(barLength, Math.trunc((current / total) * 100) >> 1);
  const bar = columns > barColumns ? `[${'='.repeat(half)}>${' '.repeat(barLength - half)}] ` : '';
  if (hidecounts) return bar;
  const counts = units === '' ? amount.padStart(8) : amount;
  const whole = current > total ? counts : `${counts}/${units === '' ? humanSize(total) : total}`;
  return bar + (units === '' ? whole : `${whole} ${units}`);
}
