import { CliError } from '../framework/errors.ts';

/** Ctrl-P, Ctrl-Q. */
const defaultKeys = Uint8Array.of(16, 17);

/**
 * The bytes of a key sequence such as `ctrl-p,ctrl-q` or `a,DEL`; the default one for an empty text.
 *
 * @throws {@link CliError} for keys that do not exist.
 */
export function parseDetachKeys(keys: string): Uint8Array {
  if (keys === '') return defaultKeys;
  return Uint8Array.from(keys.split(','), (key) => keyByte(key, keys));
}

function keyByte(key: string, keys: string): number {
  if (Buffer.byteLength(key) === 1) return key.charCodeAt(0);
  if (key === 'DEL') return 127;
  const letter = /^ctrl-([@a-z[\\\]^_])$/.exec(key)?.[1];
  if (letter === undefined) throw new CliError(`invalid detach keys (${keys}): Unknown character: '${key}'`);
  return letter.toUpperCase().charCodeAt(0) - 64;
}

/** What is left of a chunk of input once the detach keys are looked for. */
export interface ScannedInput {
  /** To be sent on: the chunk, without what may be the beginning of the sequence. */
  readonly bytes: Uint8Array;
  /** The sequence is complete; what follows it is dropped. */
  readonly detached: boolean;
}

/** Finds the detach keys in input that comes in any pieces. A beginning that leads nowhere is sent on later. */
export class DetachKeyScanner {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  scan(chunk: Uint8Array): ScannedInput {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) return { bytes: Uint8Array.from(out), detached: true };
        continue;
      }
      out.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) out.push(byte);
    }
    return { bytes: Uint8Array.from(out), detached: false };
  }
}
