import { EngineError } from '#errors';
import type { Filters } from '../routes/containers/backend.ts';
import { parseFilters } from '../decode/filters.ts';
import { parseTime } from '../decode/time.ts';

const badEscape = /%(?![0-9a-fA-F]{2})/;
const falseWords = new Set(['', '0', 'no', 'false', 'none']);
const integer = /^[+-]?\d+$/;

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_PARAMETER', message);
}

/** A request's query parameters, read as Docker reads them. */
export class Query {
  readonly #values: URLSearchParams;

  /** @param search - Without the question mark. @throws invalidArgument when it is badly escaped. */
  constructor(search: string) {
    const bad = badEscape.exec(search);
    if (bad) throw invalid(`invalid URL escape "${search.slice(bad.index, bad.index + 3)}"`);
    this.#values = new URLSearchParams(search);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The first value, empty when there is none. */
  text(name: string): string {
    return this.#values.get(name) ?? '';
  }

  texts(name: string): string[] {
    return this.#values.getAll(name);
  }

  /** Everything is true but the empty string, `0`, `no`, `false` and `none`. */
  flag(name: string, absent = false): boolean {
    const value = this.#values.get(name);
    return value === null ? absent : !falseWords.has(value.trim().toLowerCase());
  }

  /** Undefined when absent or empty. @throws invalidArgument, in the words of Go's strconv. */
  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === '') return undefined;
    if (!integer.test(value)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) {
      throw invalid(`strconv.Atoi: parsing ${JSON.stringify(value)}: value out of range`);
    }
    return number;
  }

  /** A length of a terminal's side. @param label - What the error calls it (`resize height`). */
  uint32(name: string, label: string): number {
    const value = this.text(name);
    const fail = (why: string): EngineError => invalid(`invalid ${label} ${JSON.stringify(value)}: ${why}`);
    if (!/^-?\d+$/.test(value)) throw fail('invalid syntax');
    const number = Number(value);
    if (number < 0 || Object.is(number, -0) || number > 0xffff_ffff) throw fail('value out of range');
    return number;
  }

  filters(): Filters {
    return parseFilters(this.text('filters'));
  }

  /** Nanoseconds since the epoch; undefined when absent or zero. */
  time(name: string): bigint | undefined {
    return parseTime(name, this.text(name));
  }
}
