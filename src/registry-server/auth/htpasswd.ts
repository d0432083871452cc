import { readFileSync, statSync } from 'node:fs';

const bcryptHash = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;
/** How long a look at the file's time is good for. */
const lookAgainMs = 1000;

/** Reads `name:hash` lines. Hashes of other kinds than bcrypt are left out. */
export function parseHtpasswd(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const separator = line.indexOf(':');
      const [name, hash] = [line.slice(0, separator), line.slice(separator + 1).trim()];
      return separator > 0 && !line.startsWith('#') && bcryptHash.test(hash) ? [[name, hash] as const] : [];
    }),
  );
}

/** A password file, read again when it changes. */
export class HtpasswdFile {
  readonly #path: string;
  #entries: ReadonlyMap<string, string>;
  #version: string;
  #lookedMs: number;

  /** @throws when the file cannot be read. */
  constructor(path: string) {
    this.#path = path;
    this.#entries = new Map();
    this.#version = '';
    this.#lookedMs = -Infinity;
    this.#load();
  }

  /** The bcrypt hash of a user; undefined when there is no such user. */
  hashOf(user: string): string | undefined {
    if (performance.now() - this.#lookedMs > lookAgainMs) this.#loadIfChanged();
    return this.#entries.get(user);
  }

  #loadIfChanged(): void {
    try {
      this.#load();
    } catch {
      // Being replaced just now; what was read before stays good until then.
    }
  }

  #load(): void {
    this.#lookedMs = performance.now();
    const { mtimeMs, size, ino } = statSync(this.#path);
    const version = `${mtimeMs} ${size} ${ino}`;
    if (version === this.#version) return;
    this.#entries = parseHtpasswd(readFileSync(this.#path, 'utf8'));
    this.#version = version;
  }
}
