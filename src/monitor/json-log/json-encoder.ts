import { isUtf8 } from 'node:buffer';

const NEWLINE = 0x0a;
const FULL = 0x46; // F
/** dockerd's buffer: longer lines become pieces of this length. */
const PIECE_BYTES = 16 * 1024;
/** `2024-05-01T10:00:00.123456789+00:00 stdout F `, always. */
const TIME_BYTES = 35;
const HEADER_BYTES = TIME_BYTES + 10;
/** The nine digits after the point. */
const FRACTION_START = 20;
const FRACTION_END = 29;
const ZERO = 0x30;
const lineHead = Uint8Array.from(Buffer.from('{"log":"'));
const lineTail = Uint8Array.from(Buffer.from('Z"}\n'));
const noBytes = new Uint8Array(0);
/** Where `stdout` has an o and `stderr` an e. */
const STREAM_AT = TIME_BYTES + 4;
/** What a byte may become at most: `\u0000`. */
const MAX_GROWTH = 6;

type StreamName = 'stdout' | 'stderr';

/** The beginning of a line that has no end yet. */
export interface PendingLine {
  data: Buffer;
  /** The time of the line's first piece, which all its pieces get; empty while there is none. */
  splitTime: string;
  lastTime: string;
}

export type PendingLines = Record<StreamName, PendingLine>;

export function noPendingLines(): PendingLines {
  const none = (): PendingLine => ({ data: Buffer.alloc(0), splitTime: '', lastTime: '' });
  return { stdout: none(), stderr: none() };
}

/**
 * Turns records of conmon's log into lines of Docker's json-file.
 *
 * What comes out depends on nothing but what went in, so the same records give the same bytes in another life. Garbled
 * records are skipped.
 */
export class JsonEncoder {
  readonly #around: Record<StreamName, { line: Buffer; piece: Buffer }>;
  readonly #pending: PendingLines;
  #out: Buffer;
  #length: number;
  #second: string;
  #secondText: string;
  /** A time within the second that `heads` are for. */
  #secondBytes: Uint8Array;
  #heads: Partial<Record<StreamName, Uint8Array>>;

  /** @param attributes - The `attrs` of every line; none when empty. */
  constructor(attributes: Readonly<Record<string, string>>, pending: PendingLines) {
    const entries = Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const attrs = entries.length > 0 ? `"attrs":${escapeMarkup(JSON.stringify(Object.fromEntries(entries)))},` : '';
    const around = (stream: StreamName): { line: Buffer; piece: Buffer } => {
      const tail = `","stream":"${stream}",${attrs}"time":"`;
      return { line: Buffer.from(`\\n${tail}`), piece: Buffer.from(tail) };
    };
    this.#around = { stdout: around('stdout'), stderr: around('stderr') };
    this.#pending = { ...pending };
    this.#out = Buffer.alloc(0);
    this.#length = 0;
    this.#second = '';
    this.#secondText = '';
    this.#secondBytes = noBytes;
    this.#heads = {};
  }

  /** Lines begun and not ended, for whoever goes on later. What comes next does not change the answer. */
  get pending(): PendingLines {
    return { ...this.#pending };
  }

  /** Encodes whole records, each with its newline. The answer is the caller's. */
  encode(records: Buffer): Buffer {
    this.#begin(records.length);
    let start = 0;
    for (let end = records.indexOf(NEWLINE); end >= 0; end = records.indexOf(NEWLINE, start)) {
      this.#record(records, start, end);
      start = end + 1;
    }
    return this.#take();
  }

  /** The streams have ended: what is pending is written without a newline. */
  end(): Buffer {
    this.#begin(2 * PIECE_BYTES);
    for (const stream of ['stdout', 'stderr'] as const) {
      const { data, splitTime, lastTime } = this.#pending[stream];
      if (data.length > 0) this.#write(stream, data, splitTime || lastTime, 'piece');
      this.#pending[stream] = noPendingLines()[stream];
    }
    return this.#take();
  }

  #record(records: Buffer, start: number, end: number): void {
    const stream = end - start < HEADER_BYTES ? undefined : streamOf(records, start);
    if (stream === undefined) return;
    const full = records[start + HEADER_BYTES - 2] === FULL;
    const whole = full && this.#pending[stream].lastTime === '' && end - start < HEADER_BYTES + PIECE_BYTES;
    if (whole && this.#writePlain(stream, records, start, end)) return;
    const data = records.subarray(start + HEADER_BYTES, end);
    const time = this.#time(records, start);
    if (whole) this.#write(stream, data, time, 'line');
    else this.#join(stream, data, time, full);
  }

  /**
   * The way most lines go, byte by byte without objects or strings. False, and nothing is written, if something in the
   * line has to be escaped.
   */
  #writePlain(stream: StreamName, records: Buffer, start: number, end: number): boolean {
    const head = this.#heads[stream];
    if (!head || !isSameSecond(this.#secondBytes, records, start)) this.#learnSecond(records, start);
    const tail = this.#heads[stream] ?? noBytes;
    this.#reserve(end - start + tail.length + 64);
    const out = this.#out;
    let at = this.#length;
    for (let i = 0; i < lineHead.length; i++) out[at++] = lineHead[i] ?? 0;
    for (let i = start + HEADER_BYTES; i < end; i++) {
      const byte = records[i] ?? 0;
      if (plainBytes[byte] !== 1) return false;
      out[at++] = byte;
    }
    for (let i = 0; i < tail.length; i++) out[at++] = tail[i] ?? 0;
    let fractionEnd = start + FRACTION_END;
    while (fractionEnd > start + FRACTION_START && records[fractionEnd - 1] === ZERO) fractionEnd--;
    // The point goes with the last digit.
    if (fractionEnd === start + FRACTION_START) fractionEnd--;
    for (let i = start + FRACTION_START - 1; i < fractionEnd; i++) out[at++] = records[i] ?? 0;
    for (let i = 0; i < lineTail.length; i++) out[at++] = lineTail[i] ?? 0;
    this.#length = at;
    return true;
  }

  /** Prepares what stands after a line, up to the second. */
  #learnSecond(records: Buffer, start: number): void {
    this.#time(records, start);
    this.#secondBytes = Uint8Array.prototype.slice.call(records, start, start + TIME_BYTES);
    const second = Buffer.from(this.#secondText);
    const { stdout, stderr } = this.#around;
    this.#heads = { stdout: Buffer.concat([stdout.line, second]), stderr: Buffer.concat([stderr.line, second]) };
  }

  #join(stream: StreamName, data: Buffer, time: string, full: boolean): void {
    const before = this.#pending[stream];
    let rest = Buffer.concat([before.data, data]);
    let { splitTime } = before;
    while (rest.length >= PIECE_BYTES) {
      splitTime ||= time;
      this.#write(stream, rest.subarray(0, PIECE_BYTES), splitTime, 'piece');
      rest = rest.subarray(PIECE_BYTES);
    }
    if (full) this.#write(stream, rest, splitTime || time, 'line');
    this.#pending[stream] = full ? noPendingLines()[stream] : { data: rest, splitTime, lastTime: time };
  }

  #write(stream: StreamName, data: Buffer, time: string, kind: 'line' | 'piece'): void {
    const around = this.#around[stream][kind];
    this.#reserve(data.length * MAX_GROWTH + around.length + 64);
    this.#ascii('{"log":"');
    if (isPlain(data)) this.#bytes(data);
    else this.#text(escaped(data));
    this.#bytes(around);
    this.#ascii(time);
    this.#ascii('"}\n');
  }

  /** The time of a record as Go prints it: UTC, no zeros at the end. */
  #time(records: Buffer, start: number): string {
    const second =
      records.toString('latin1', start, start + 19) + records.toString('latin1', start + 29, start + TIME_BYTES);
    if (second !== this.#second) {
      this.#second = second;
      const date = new Date(second);
      this.#secondText = Number.isNaN(date.getTime()) ? second.slice(0, 19) : date.toISOString().slice(0, 19);
    }
    let end = start + 29;
    while (end > start + 20 && records[end - 1] === 0x30) end--;
    return end === start + 20
      ? `${this.#secondText}Z`
      : `${this.#secondText}${records.toString('latin1', start + 19, end)}Z`;
  }

  #begin(inputBytes: number): void {
    this.#out = Buffer.allocUnsafe(inputBytes * 2 + 1024);
    this.#length = 0;
  }

  #take(): Buffer {
    const out = this.#out.subarray(0, this.#length);
    this.#out = Buffer.alloc(0);
    return out;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(this.#out.length * 2 + bytes);
    this.#out.copy(larger, 0, 0, this.#length);
    this.#out = larger;
  }

  #ascii(text: string): void {
    this.#length += this.#out.write(text, this.#length, 'latin1');
  }

  #text(text: string): void {
    this.#length += this.#out.write(text, this.#length, 'utf8');
  }

  #bytes(bytes: Buffer): void {
    this.#out.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

/** Whether a record's time is in the second, and the zone, of another. */
function isSameSecond(time: Uint8Array, records: Buffer, start: number): boolean {
  for (let i = FRACTION_START - 2; i >= 0; i--) if (time[i] !== records[start + i]) return false;
  for (let i = FRACTION_END; i < TIME_BYTES; i++) if (time[i] !== records[start + i]) return false;
  return true;
}

/** ` stdout ` and ` stderr ` differ from the third letter on. */
function streamOf(records: Buffer, start: number): StreamName | undefined {
  const name = records[start + STREAM_AT];
  if (records[start + TIME_BYTES] !== 0x20 || records[start + TIME_BYTES + 7] !== 0x20) return undefined;
  return name === 0x6f ? 'stdout' : name === 0x65 ? 'stderr' : undefined;
}

/** Whether nothing has to be escaped: printable ASCII without quotes, backslashes and what Go escapes for HTML. */
function isPlain(data: Buffer): boolean {
  for (let i = 0; i < data.length; i++) {
    if (plainBytes[data[i] ?? 0] !== 1) return false;
  }
  return true;
}

const plainBytes = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && !'"\\<>&'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

function escaped(data: Buffer): string {
  const text = data.toString('utf8');
  const json = escapeMarkup(JSON.stringify(text).slice(1, -1));
  return isUtf8(data) ? json : json.replaceAll('\ufffd', String.raw`\ufffd`);
}

/** As Go's encoder does, so that a line can stand in a web page. */
function escapeMarkup(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
