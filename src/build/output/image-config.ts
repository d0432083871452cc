import type { Digest, oci } from '#spec';
import type { Plan, Step } from '../plan/index.ts';

export interface ImageConfigInput {
  readonly plan: Plan;
  /** From the bottom. */
  readonly diffIds: readonly Digest[];
  /** When the files of a step were made; RFC 3339. */
  readonly createdAt: (step: Step) => string | undefined;
  /** Instead of every time that this build adds (`SOURCE_DATE_EPOCH`); RFC 3339. */
  readonly epoch: string | undefined;
  /** For what has no time of its own: an image without steps that change files. */
  readonly now: string;
}

/**
 * The configuration of the image that a plan made. An instruction that changes no files has the time of what came before it, so that a
 * build all from the cache gives the same image again.
 */
export function toImageConfig(input: ImageConfigInput): oci.ImageConfig {
  const { plan, diffIds, epoch } = input;
  const history = toHistory(input);
  const created = history.findLast((entry) => entry.created !== undefined)?.created ?? epoch ?? input.now;
  const { variant } = plan.platform;
  return {
    created,
    ...(plan.author === '' ? {} : { author: plan.author }),
    architecture: plan.platform.architecture,
    os: plan.platform.os,
    ...(variant === undefined ? {} : { variant }),
    config: plan.config,
    rootfs: { type: 'layers', diff_ids: [...diffIds] },
    history,
  };
}

function toHistory({ plan, createdAt, epoch, now }: ImageConfigInput): oci.ImageHistory[] {
  const made = new Map(plan.steps.map((step) => [step.history, step]));
  let last = plan.base?.config.created;
  return plan.history.map((entry) => {
    const step = made.get(entry);
    if (!step) {
      last = entry.created ?? last;
      return entry;
    }
    last = epoch ?? createdAt(step) ?? last ?? now;
    return { created: last, ...entry };
  });
}
