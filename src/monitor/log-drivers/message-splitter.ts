import { randomHex } from '#lib';
import { CriParser } from '../cri-parser.ts';
import type { LogLine } from '../contract.ts';
import type { LogMessage } from './contract.ts';

const NEWLINE = 0x0a;
/** dockerd's buffer: longer lines become pieces of this length. */
const PIECE_BYTES = 16 * 1024;

/** The beginning of a line that has no end yet. */
export interface OpenLine {
  data: Buffer;
  time: bigint;
  /** Of the pieces that went out already; empty and zero while there are none. */
  id: string;
  ordinal: number;
}

export type OpenLines = Readonly<Partial<Record<LogLine['stream'], OpenLine>>>;

/**
 * Makes messages of conmon's records: parts that conmon wrote apart are joined, long lines cut into pieces as dockerd does.
 *
 * @param open - Lines begun in records before.
 * @returns the messages, and the lines that go on in the records after these.
 */
export function splitMessages(records: Buffer, open: OpenLines): { messages: LogMessage[]; open: OpenLines } {
  const lines: Partial<Record<LogLine['stream'], OpenLine>> = { ...open };
  const messages: LogMessage[] = [];
  for (const { stream, time, data } of new CriParser().push(records)) {
    const ended = data.at(-1) === NEWLINE;
    const before = lines[stream];
    const text = ended ? data.subarray(0, -1) : data;
    const line = before
      ? { ...before, data: Buffer.concat([before.data, text]) }
      : { data: text, time, id: '', ordinal: 0 };
    const rest = takePieces(stream, line, messages);
    if (ended) {
      messages.push(lastMessage(stream, rest));
      delete lines[stream];
    } else {
      lines[stream] = rest;
    }
  }
  return { messages, open: lines };
}

/** The streams have ended: what has no newline is a message all the same. */
export function closeLines(open: OpenLines): LogMessage[] {
  return (['stdout', 'stderr'] as const).flatMap((stream) => {
    const line = open[stream];
    return line && (line.data.length > 0 || line.ordinal > 0) ? [lastMessage(stream, line)] : [];
  });
}

function takePieces(stream: LogLine['stream'], line: OpenLine, messages: LogMessage[]): OpenLine {
  let { data, id, ordinal } = line;
  while (data.length >= PIECE_BYTES) {
    id ||= randomHex(32);
    ordinal++;
    const partial = { id, ordinal, last: false };
    messages.push({ stream, time: line.time, data: data.subarray(0, PIECE_BYTES), partial });
    data = data.subarray(PIECE_BYTES);
  }
  return { data, time: line.time, id, ordinal };
}

function lastMessage(stream: LogLine['stream'], { data, time, id, ordinal }: OpenLine): LogMessage {
  return { stream, time, data, ...(ordinal > 0 ? { partial: { id, ordinal: ordinal + 1, last: true } } : {}) };
}
