import { isUtf8 } from 'node:buffer';

/*
 * Names in archives and file systems are bytes, mostly UTF-8. They travel as JavaScript strings in which a byte that is
 * not part of valid UTF-8 is written as the lone surrogate U+DC80…U+DCFF, so that nothing is lost on the way back.
 */

const ESCAPE_BASE = 0xdc00;

/** Decodes `bytes[start, end)` without loss: `encodeText` gives the same bytes back. */
export function decodeText(bytes: Buffer, start = 0, end: number = bytes.length): string {
  for (let i = start; i < end; i++) {
    if ((bytes[i] ?? 0) >= 0x80) {
      return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : decodeEscaped(bytes, start, end);
    }
  }
  return bytes.toString('latin1', start, end);
}

/** The bytes of a string made by {@link decodeText}, or of any ordinary string as UTF-8. */
export function encodeText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const escaped = code >= ESCAPE_BASE + 0x80 && code <= ESCAPE_BASE + 0xff;
    parts.push(escaped ? Buffer.of(code - ESCAPE_BASE) : Buffer.from(char, 'utf8'));
  }
  return Buffer.concat(parts);
}

/** A path as Node's `fs` must get it to reach exactly these bytes. */
export function toFsPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : encodeText(path);
}

function decodeEscaped(bytes: Buffer, start: number, end: number): string {
  let text = '';
  let i = start;
  while (i < end) {
    const length = sequenceLength(bytes[i] ?? 0);
    const stop = Math.min(i + length, end);
    if (length > 0 && stop - i === length && isUtf8(bytes.subarray(i, stop))) {
      text += bytes.toString('utf8', i, stop);
      i = stop;
    } else {
      text += String.fromCharCode(ESCAPE_BASE + (bytes[i] ?? 0));
      i++;
    }
  }
  return text;
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}
