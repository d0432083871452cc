import { createHash } from 'node:crypto';
import type { ChainId, oci } from '#spec';
import type { CopyOp, MkdirOp, RunOp } from '../plan/index.ts';

/** Raised whenever the same step would be done differently: what was cached before is not found any more. */
const KEY_VERSION = 1;

/** What a step takes in besides its own definition: digests of content, in the order of the definition. */
export interface StepInputs {
  readonly parent: ChainId | undefined;
  readonly platform: oci.Platform;
  /** Of sources (copy) or mounts (run). */
  readonly digests: readonly string[];
  /** `SOURCE_DATE_EPOCH`: it is in the files' times. */
  readonly newestSeconds?: number;
  /** Settings of the build that a RUN step can see. */
  readonly surroundings?: unknown;
}

/**
 * The digest of everything that can change a step's result: two steps with one key are the same step.
 *
 * Proxy settings are not part of it (as the reference says), nor are times of files, nor what a secret contains.
 */
export function cacheKey(op: RunOp | CopyOp | MkdirOp, inputs: StepInputs): string {
  const definition = { version: KEY_VERSION, op: definitionOf(op), ...inputs, parent: inputs.parent ?? null };
  return `sha256:${createHash('sha256').update(JSON.stringify(definition)).digest('hex')}`;
}

function definitionOf(op: RunOp | CopyOp | MkdirOp): unknown {
  switch (op.kind) {
    case 'mkdir':
      return op;
    case 'run': {
      const { proxyEnv: _proxyEnv, mounts, ...rest } = op;
      // Where a mount's files come from counts by its digest.
      return { ...rest, mounts: mounts.map(({ tree, ...mount }) => ({ ...mount, tree: tree.kind })) };
    }
    case 'copy': {
      const { sources, ...rest } = op;
      return { ...rest, sources: sources.map(({ kind }) => kind) };
    }
  }
}
