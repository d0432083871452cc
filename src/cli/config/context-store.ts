import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '#lib';
import { CliError } from '../framework/errors.ts';

/** A context as its `meta.json` holds it. */
export interface ContextMeta {
  readonly Name: string;
  readonly Metadata: { readonly Description?: string };
  readonly Endpoints: Readonly<Record<string, { readonly Host?: string; readonly SkipTLSVerify?: boolean }>>;
}

const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/;

/**
 * Contexts on disk, in Docker's layout:
 *
 * ```
 * meta/<sha256 of the name>/meta.json
 * tls/<sha256 of the name>/docker/{ca,cert,key}.pem
 * ```
 */
export class ContextStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  metaDir(name: string): string {
    return join(this.#root, 'meta', hashOf(name));
  }

  tlsDir(name: string): string {
    return join(this.#root, 'tls', hashOf(name));
  }

  /** @throws CliError when there is no such context. */
  get(name: string): ContextMeta {
    const found = this.find(name);
    if (!found)
      throw new CliError(
        `context "${name}": context not found: open ${join(this.metaDir(name), 'meta.json')}: no such file or directory`,
      );
    return found;
  }

  find(name: string): ContextMeta | undefined {
    return readMeta(join(this.metaDir(name), 'meta.json'));
  }

  /** All contexts by name, the default one not among them. */
  list(): ContextMeta[] {
    let folders: string[];
    try {
      folders = readdirSync(join(this.#root, 'meta'));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
    return folders
      .map((folder) => readMeta(join(this.#root, 'meta', folder, 'meta.json')))
      .filter((meta) => meta !== undefined)
      .sort((a, b) => (a.Name < b.Name ? -1 : 1));
  }

  /** TLS files of the context's docker endpoint by file name. */
  tlsFiles(name: string): Record<string, string> {
    const dir = join(this.tlsDir(name), 'docker');
    let names: string[];
    try {
      names = readdirSync(dir);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return {};
      throw error;
    }
    return Object.fromEntries(names.map((file) => [file, readFileSync(join(dir, file), 'utf8')]));
  }

  /** Creates or replaces a context; `tls` undefined leaves its TLS files alone. */
  put(meta: ContextMeta, tls?: Readonly<Record<string, string>>): void {
    mkdirSync(this.metaDir(meta.Name), { recursive: true, mode: 0o755 });
    writeFileSync(
      join(this.metaDir(meta.Name), 'meta.json'),
      JSON.stringify({ Name: meta.Name, Metadata: meta.Metadata, Endpoints: meta.Endpoints }),
      {
        mode: 0o644,
      },
    );
    if (tls === undefined) return;
    rmSync(this.tlsDir(meta.Name), { recursive: true, force: true });
    if (Object.keys(tls).length === 0) return;
    const dir = join(this.tlsDir(meta.Name), 'docker');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    for (const [file, text] of Object.entries(tls)) writeFileSync(join(dir, file), text, { mode: 0o600 });
  }

  remove(name: string): void {
    rmSync(this.metaDir(name), { recursive: true, force: true });
    rmSync(this.tlsDir(name), { recursive: true, force: true });
  }
}

/** @throws CliError with Docker's words when `name` cannot name a new context. */
export function checkContextName(name: string): void {
  if (name === '') throw new CliError('context name cannot be empty');
  if (name === 'default') throw new CliError('"default" is a reserved context name');
  if (!validName.test(name)) {
    throw new CliError(
      `context name "${name}" is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"`,
    );
  }
}

function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

function readMeta(path: string): ContextMeta | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by us or by Docker in this shape */
    return parsed as ContextMeta;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw new CliError(`parsing ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
