import { formatPlatform, hostPlatform, normalizePlatform, type oci } from '#spec';
import type { IndexEntry } from './manifest.ts';

/** `v8`, `v7`, … down to `vLowest`. */
function downFrom(variant: string | undefined, highest: number, lowest: number): string[] {
  const stated = Number(variant?.slice(1) ?? highest);
  const from = Number.isInteger(stated) ? stated : highest;
  return Array.from({ length: Math.max(0, from - lowest + 1) }, (_, index) => `v${from - index}`);
}

/**
 * What runs where `wanted` is asked for, best first: a processor also runs programs for its older variants.
 *
 * @see the platform matching of containerd
 */
export function runnablePlatforms(wanted: oci.Platform): string[] {
  const { os, architecture, variant } = normalizePlatform(wanted);
  const named = (arch: string, variants: readonly (string | undefined)[]): string[] =>
    variants.map((each) =>
      formatPlatform(normalizePlatform({ os, architecture: arch, ...(each ? { variant: each } : {}) })),
    );
  switch (architecture) {
    case 'amd64':
      return [...named('amd64', downFrom(variant, 1, 1)), ...named('386', [undefined])];
    case 'arm':
      return named('arm', downFrom(variant, 7, 5));
    case 'arm64':
      return [...named('arm64', downFrom(variant, 8, 8)), ...named('arm', ['v8', 'v7', 'v6', 'v5'])];
    default:
      return named(architecture, [variant]);
  }
}

/** The entries of an index that may be the image for `wanted`, best first; those that name no platform last. */
export function chooseEntries(entries: readonly IndexEntry[], wanted: oci.Platform): IndexEntry[] {
  const order = runnablePlatforms(wanted);
  const rank = ({ platform }: IndexEntry): number => {
    if (platform === undefined || (platform.os === '' && platform.architecture === '')) return order.length;
    return order.indexOf(formatPlatform(normalizePlatform(platform)));
  };
  return entries
    .filter((entry) => !entry.isAttestation)
    .map((entry) => ({ entry, rank: rank(entry) }))
    .filter((each) => each.rank >= 0)
    .sort((a, b) => a.rank - b.rank)
    .map(({ entry }) => entry);
}

/** As Docker's messages show a platform: 64-bit ARM with its variant. */
export function shownPlatform(platform: oci.Platform | undefined): string {
  const shown = platform ?? hostPlatform();
  const variant = shown.architecture === 'arm64' && shown.variant === undefined ? { variant: 'v8' } : {};
  return formatPlatform({ ...shown, ...variant });
}
