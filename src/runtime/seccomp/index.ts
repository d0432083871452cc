import type { oci } from '#spec';
import { customSeccompProfile } from './custom-profile.ts';
import { defaultSeccompProfile } from './default-profile.ts';
import type { SeccompTarget } from './machine.ts';

export type { SeccompTarget } from './machine.ts';

/**
 * The filter for a container.
 *
 * @param wanted - `unconfined`, `builtin`, a profile's JSON, or undefined for the default, which privileged ones lack.
 * @returns undefined for none.
 */
export function resolveSeccomp(
  wanted: string | undefined,
  privileged: boolean,
  target: SeccompTarget,
): oci.RuntimeSeccomp | undefined {
  if (wanted === 'unconfined') return undefined;
  if (wanted === undefined || wanted === '') return privileged ? undefined : defaultSeccompProfile(target);
  if (wanted === 'builtin') return privileged ? undefined : defaultSeccompProfile(target);
  return customSeccompProfile(wanted, target);
}
