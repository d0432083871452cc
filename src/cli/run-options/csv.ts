import { FlagValueError } from '../framework/errors.ts';

/**
 * Reads the first record of comma-separated text by RFC 4180, with the messages of Go's `encoding/csv`, which is how
 * Docker takes `--mount`, `--gpus` and the long form of `--network` apart.
 *
 * @throws {@link FlagValueError} on a stray quote, an unclosed one, or no record at all (`EOF`).
 */
export function readCsvRecord(text: string): string[] {
  const input = text.replace(/^(?:\r?\n)+/, '');
  if (input === '') throw new FlagValueError('EOF');
  const line = text.length - input.length + 1;
  const fields: string[] = [];
  let at = 0;
  while (true) {
    const field = input[at] === '"' ? quotedField(input, at, line) : plainField(input, at, line);
    fields.push(field.value);
    at = field.end;
    if (input[at] !== ',') return fields;
    at += 1;
  }
}

interface Field {
  value: string;
  /** Index of the comma or line end behind the field. */
  end: number;
}

function plainField(input: string, start: number, line: number): Field {
  const rest = input.slice(start);
  const length = /^[^,\r\n]*/.exec(rest)?.[0].length ?? 0;
  const value = rest.slice(0, length);
  const quote = value.indexOf('"');
  if (quote >= 0) throw syntaxError(input, line, start + quote, 'bare " in non-quoted-field');
  return { value, end: start + length };
}

function quotedField(input: string, start: number, line: number): Field {
  let value = '';
  let at = start + 1;
  while (true) {
    const close = input.indexOf('"', at);
    if (close < 0) throw syntaxError(input, line, input.length, 'extraneous or missing " in quoted-field');
    value += input.slice(at, close);
    const next = input[close + 1];
    if (next === '"') {
      value += '"';
      at = close + 2;
      continue;
    }
    if (next !== undefined && next !== ',' && next !== '\n' && next !== '\r') {
      throw syntaxError(input, line, close, 'extraneous or missing " in quoted-field');
    }
    return { value, end: close + 1 };
  }
}

/** Go counts columns in bytes, from 1. */
function syntaxError(input: string, line: number, index: number, why: string): FlagValueError {
  const column = Buffer.byteLength(input.slice(0, index)) + 1;
  return new FlagValueError(`parse error on line ${line}, column ${column}: ${why}`);
}
