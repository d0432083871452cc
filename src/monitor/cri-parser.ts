import { parseRfc3339Nano } from '#lib';
import type { LogLine } from './contract.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const FULL = 0x46; // F
/** conmon cuts at 8 KiB; a line without an end after this much is no line of its. */
const MAX_LINE_BYTES = 1 << 20;

/**
 * Cuts CRI log bytes (`<time> <stream> <P|F> <data>` and a newline) into lines, whatever the chunks.
 *
 * A partial record (`P`) becomes a piece of its own without a newline, as Docker delivers it. The answers share memory
 * with the chunks, so chunks must not be reused. Garbled lines are skipped.
 */
export class CriParser {
  #rest: Buffer;
  #timePrefix: string;
  #timeBase: bigint | undefined;

  constructor() {
    this.#rest = Buffer.alloc(0);
    this.#timePrefix = '';
    this.#timeBase = undefined;
  }

  push(chunk: Buffer): LogLine[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: LogLine[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = this.#parse(bytes, start, end + 1);
      if (line) lines.push(line);
      start = end + 1;
    }
    this.#rest = bytes.length - start > MAX_LINE_BYTES ? Buffer.alloc(0) : bytes.subarray(start);
    return lines;
  }

  /** The last line, if its end was never written. */
  flush(): LogLine[] {
    const line = this.#parse(this.#rest, 0, this.#rest.length);
    this.#rest = Buffer.alloc(0);
    return line === undefined || line.data.length === 0 ? [] : [line];
  }

  #parse(bytes: Buffer, start: number, end: number): LogLine | undefined {
    const header = findHeader(bytes, start, end);
    if (header === undefined) return undefined;
    const time = this.#parseTime(bytes.toString('latin1', start, header.timeEnd));
    if (time === undefined) return undefined;
    const terminated = bytes[end - 1] === NEWLINE;
    const dataEnd = terminated && !header.full ? end - 1 : end;
    return { stream: header.stream, time, data: bytes.subarray(header.dataStart, dataEnd) };
  }

  /** Neighbouring lines mostly share the second and the zone, which are the costly part. */
  #parseTime(text: string): bigint | undefined {
    if (text.length !== 35 || text[19] !== '.') return parseRfc3339Nano(text);
    const prefix = text.slice(0, 19) + text.slice(29);
    if (prefix !== this.#timePrefix) {
      this.#timePrefix = prefix;
      this.#timeBase = parseRfc3339Nano(prefix);
    }
    const fraction = Number(text.slice(20, 29));
    return this.#timeBase === undefined || Number.isNaN(fraction) ? undefined : this.#timeBase + BigInt(fraction);
  }
}

interface Header {
  timeEnd: number;
  stream: 'stdout' | 'stderr';
  full: boolean;
  dataStart: number;
}

function findHeader(bytes: Buffer, start: number, end: number): Header | undefined {
  const timeEnd = bytes.indexOf(SPACE, start);
  const dataStart = timeEnd + 10; // " stdout F "
  if (timeEnd < 0 || dataStart > end || bytes[dataStart - 1] !== SPACE) return undefined;
  const stream = bytes.toString('latin1', timeEnd + 1, timeEnd + 7);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  return { timeEnd, stream, full: bytes[timeEnd + 8] === FULL, dataStart };
}

/** Whether the record in these bytes ends a line of the process's (as opposed to: is a part of a longer one). */
export function isFullRecord(bytes: Buffer, start: number, end: number): boolean {
  return bytes[end - 1] === NEWLINE && findHeader(bytes, start, end)?.full === true;
}
