import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomHex } from '#lib';
import type { oci } from '#spec';

/** crun takes a filter compiled before in this annotation, in base64, instead of `linux.seccomp`. */
const ANNOTATION = 'run.oci.seccomp_bpf_data';

/**
 * Filters as crun compiled them for the first container that had each.
 *
 * Compiling Docker's default filter takes libseccomp 10 ms of the 18 that a container's creation costs, and Debian's
 * crun is built without the library that its own cache needs. The files last until the next boot, as the kernel does.
 */
export class CompiledFilters {
  readonly #directory: string;
  readonly #salt: string;
  readonly #known: Map<string, string>;

  /** @param salt - Changes whenever the compiler does: the runtime's version. */
  constructor(directory: string, salt: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#directory = directory;
    this.#salt = salt;
    this.#known = new Map();
  }

  /** The specification with its filter compiled, if it is known; else as it is. */
  apply(spec: oci.RuntimeSpec): oci.RuntimeSpec {
    const { seccomp, ...linux } = spec.linux;
    if (!isPlain(seccomp)) return spec;
    const compiled = this.#find(this.#key(seccomp));
    if (compiled === undefined) return spec;
    return { ...spec, linux, annotations: { ...spec.annotations, [ANNOTATION]: compiled } };
  }

  /** Takes note of what the runtime made of a specification's filter. */
  learn(spec: oci.RuntimeSpec, stateDirectory: string): void {
    const { seccomp } = spec.linux;
    if (!isPlain(seccomp)) return;
    const key = this.#key(seccomp);
    if (this.#known.has(key)) return;
    let compiled: Buffer;
    try {
      compiled = readFileSync(join(stateDirectory, 'seccomp.bpf'));
    } catch {
      // It compiles to memory only, or ended already.
      return;
    }
    // Each instruction has eight bytes.
    if (compiled.length === 0 || compiled.length % 8 !== 0) return;
    const path = join(this.#directory, key);
    const partial = `${path}.${randomHex(4)}`;
    writeFileSync(partial, compiled, { mode: 0o600 });
    renameSync(partial, path);
    this.#known.set(key, compiled.toString('base64'));
  }

  #find(key: string): string | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    try {
      const compiled = readFileSync(join(this.#directory, key)).toString('base64');
      this.#known.set(key, compiled);
      return compiled;
    } catch {
      return undefined;
    }
  }

  #key(seccomp: oci.RuntimeSeccomp): string {
    return createHash('sha256').update(this.#salt).update('\0').update(JSON.stringify(seccomp)).digest('hex');
  }
}

/** Flags are no part of the compiled program, so filters with flags are left to the runtime. */
function isPlain(seccomp: oci.RuntimeSeccomp | undefined): seccomp is oci.RuntimeSeccomp {
  return seccomp !== undefined && (seccomp.flags ?? []).length === 0;
}
