import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { oci } from '#spec';
import { serializeSpec } from './spec/serialize.ts';

/** Writes a container's bundle: a directory of its own, for root alone, with the runtime's `config.json`. */
export function writeBundle(directory: string, spec: oci.RuntimeSpec): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, 'config.json'), serializeSpec(spec), { mode: 0o600 });
}
