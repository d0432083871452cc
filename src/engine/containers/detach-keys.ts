import { Transform, type TransformCallback } from 'node:stream';
import { EngineError } from '#errors';

const defaultKeys = 'ctrl-p,ctrl-q';
const controlCharacters: Record<string, number> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/**
 * The bytes of a detach sequence in Docker's notation: comma separated, each a character or `ctrl-` and one of `a-z@[\]^_`.
 *
 * @throws invalidArgument with Docker's text.
 */
export function parseDetachKeys(text: string): Buffer {
  const bytes = (text === '' ? defaultKeys : text).split(',').map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const control = /^ctrl-(.)$/.exec(key)?.[1];
    if (control !== undefined && /^[a-z]$/.test(control)) return control.charCodeAt(0) - 96;
    const code = control === undefined ? undefined : controlCharacters[control];
    if (code === undefined) {
      throw new EngineError('invalidArgument', 'INVALID_DETACH_KEYS', `Invalid detach keys (${text}) provided`);
    }
    return code;
  });
  return Buffer.from(bytes);
}

/**
 * Passes a client's input through and watches for the detach sequence. Its bytes are held back until it is clear that
 * they are not (all of) the sequence; when it is complete `onDetach` is called and the rest is dropped.
 */
export class DetachFilter extends Transform {
  readonly #sequence: Buffer;
  readonly #onDetach: () => void;
  #matched = 0;
  #detached = false;

  constructor(sequence: Buffer, onDetach: () => void) {
    super();
    this.#sequence = sequence;
    this.#onDetach = onDetach;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (this.#detached) return callback();
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#sequence[this.#matched]) {
        this.#matched += 1;
        if (this.#matched < this.#sequence.length) continue;
        this.#detached = true;
        break;
      }
      if (this.#matched > 0) out.push(...this.#sequence.subarray(0, this.#matched));
      this.#matched = byte === this.#sequence[0] ? 1 : 0;
      if (this.#matched === 0) out.push(byte);
    }
    callback(null, Buffer.from(out));
    if (this.#detached) this.#onDetach();
  }

  override _flush(callback: TransformCallback): void {
    callback(null, this.#detached ? undefined : this.#sequence.subarray(0, this.#matched));
  }
}
