import { readFileSync } from 'node:fs';
import { CliError } from '../framework/errors.ts';
import { cut, goFileError } from './go-values.ts';

/** Longest line Docker's reader takes. */
const maxLineBytes = 64 * 1024;

/**
 * The `KEY=value` lines of the files, in order, then `override`: what `--env-file` with `-e` and `--label-file` with
 * `--label` come to.
 *
 * @param lookup - Gives the value of a key that stands alone; without it, or with no value there, the key is dropped.
 * @throws {@link CliError} on unreadable files and on lines that are no pairs.
 */
export function readKeyValues(
  files: readonly string[],
  override: readonly string[],
  lookup?: (key: string) => string | undefined,
): string[] {
  return [...files.flatMap((file) => readFile(file, lookup)), ...override];
}

function readFile(path: string, lookup: ((key: string) => string | undefined) | undefined): string[] {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    const message = goFileError('open', path, error);
    throw new CliError(message.startsWith('read') ? `invalid env file (${path}): ${message}` : message);
  }
  const pairs: string[] = [];
  for (const [index, line] of splitLines(content).entries()) {
    const fail = (why: string): never => {
      throw new CliError(`invalid env file (${path}): ${why}`);
    };
    if (line.length >= maxLineBytes) return fail('bufio.Scanner: token too long');
    const text = decode(line) ?? fail(`invalid utf8 bytes at line ${index + 1}: [${line.join(' ')}]`);
    const pair = text.replace(index === 0 ? /^\uFEFF/ : '', '').trimStart();
    if (pair === '' || pair.startsWith('#')) continue;
    const [key, , hasValue] = cut(pair, '=');
    if (key === '') return fail(`no variable name on line '${pair}'`);
    if (/[ \t]/.test(key)) return fail(`variable '${key}' contains whitespaces`);
    const value = hasValue ? undefined : lookup?.(pair);
    if (hasValue) pairs.push(pair);
    else if (value !== undefined) pairs.push(`${key}=${value}`);
  }
  return pairs;
}

function splitLines(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  while (start < content.length) {
    const newline = content.indexOf(10, start);
    const end = newline < 0 ? content.length : newline;
    lines.push(content.subarray(start, content[end - 1] === 13 && end > start ? end - 1 : end));
    start = end + 1;
  }
  return lines;
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** `{a: 'b'}` from `['a=b']`; later ones win, no `=` means an empty value. */
export function pairsToRecord(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => cut(pair, '=').slice(0, 2) as [string, string]));
}
