/** Bytes `start` to `end`, both counted in. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What a `Range` header asks of content of `sizeBytes`: 'whole' when there is none, or one that a server ignores (another unit, several
 * ranges, nonsense); 'unsatisfiable' for status 416; otherwise the range, cut at the end of the content.
 *
 * @see RFC 9110, 14.1.2
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=\s*(\d{0,16})-(\d{0,16})\s*$/i.exec(header ?? '');
  if (!match) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return 'whole';
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'whole';
  if (start >= sizeBytes) return 'unsatisfiable';
  return { start, end: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) };
}

/** Reads `bytes 0-9/100` (a total of `*` is undefined). Undefined when it is malformed or contradicts itself. */
export function parseContentRange(header: string | undefined): (ByteRange & { totalBytes?: number }) | undefined {
  const match = /^bytes\s+(\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec((header ?? '').trim());
  if (!match) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  if (end < start) return undefined;
  if (match[3] === '*') return { start, end };
  const totalBytes = Number(match[3]);
  return end < totalBytes ? { start, end, totalBytes } : undefined;
}

/**
 * Reads the range of an upload: `0-99`, in the `Range` of the registry's answers and the `Content-Range` of a chunk (both without
 * unit, by the distribution-spec; `bytes=` and `bytes ` are accepted).
 */
export function parseUploadRange(header: string | undefined): ByteRange | undefined {
  const match = /^(?:bytes[= ]\s*)?(\d{1,16})-(\d{1,16})$/i.exec((header ?? '').trim());
  if (!match) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  // An empty upload is told as `0-0` by some and as `0--1` by others; one byte is `0-0` too.
  return end < start ? undefined : { start, end };
}
