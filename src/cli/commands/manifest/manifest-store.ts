import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '#lib';
import { formatReference, type ImageReference, type oci } from '#spec';
import type { CliContext } from '../../context.ts';
import { CliError } from '../../framework/index.ts';

/** One image of a list that is being made, as Docker's CLI keeps it: either may go on where the other stopped. */
export interface ListedManifest {
  /** Where the manifest came from, in full. */
  readonly Ref: string;
  readonly Descriptor: oci.Descriptor;
  /** The manifest's bytes in base64. */
  readonly Raw?: string;
  readonly SchemaV2Manifest?: oci.Manifest;
  readonly OCIManifest?: oci.Manifest;
}

/** The lists of `manifest create` that are not pushed yet: `manifests/<list>/<image>` beside `config.json`. */
export class ManifestStore {
  readonly #root: string;

  constructor(ctx: CliContext) {
    this.#root = join(ctx.globals.configDir, 'manifests');
  }

  find(list: ImageReference, image: ImageReference): ListedManifest | undefined {
    return read(join(this.#directory(list), fileName(image)));
  }

  /** Undefined when there is no such list. */
  findList(list: ImageReference): ListedManifest[] | undefined {
    const directory = this.#directory(list);
    const manifests = namesIn(directory)?.map((name) => read(join(directory, name)));
    return manifests?.filter((manifest) => manifest !== undefined);
  }

  /** @throws CliError with Docker's text when there is no such list. */
  getList(list: ImageReference): ListedManifest[] {
    const manifests = this.findList(list);
    if (!manifests) throw new CliError(`No such manifest: ${formatReference(list)}`);
    return manifests;
  }

  save(list: ImageReference, image: ImageReference, manifest: ListedManifest): void {
    mkdirSync(this.#directory(list), { recursive: true, mode: 0o755 });
    writeFileSync(join(this.#directory(list), fileName(image)), JSON.stringify(manifest), { mode: 0o644 });
  }

  remove(list: ImageReference): void {
    rmSync(this.#directory(list), { recursive: true, force: true });
  }

  #directory(list: ImageReference): string {
    return join(this.#root, fileName(list));
  }
}

function fileName(reference: ImageReference): string {
  return formatReference(reference).replaceAll(':', '-').replaceAll('/', '_');
}

function namesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function read(path: string): ListedManifest | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ListedManifest;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw new CliError(`invalid manifest file ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
