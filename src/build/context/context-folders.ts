import { mkdirSync, readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder that goes when it is disposed, or with the next start of the daemon. */
export interface ContextFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * What builds are sent, as long as they need it.
 *
 * ```
 * <root>/<random>/   a context, a clone, a download
 * ```
 */
export class ContextFolders {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  async create(): Promise<ContextFolder> {
    const path = await mkdtemp(join(this.#root, 'c-'));
    // Steps that mount it need not be root; nobody on the host comes as far as here.
    await chmod(path, 0o755);
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  }

  /** Removes what a killed daemon left. */
  async recover(): Promise<void> {
    for (const name of readdirSync(this.#root)) await rm(join(this.#root, name), { recursive: true, force: true });
  }
}
