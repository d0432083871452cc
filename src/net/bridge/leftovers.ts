import type { Link } from '#sys';

/** What the kernel and the folder of namespaces hold, and what may stay. */
export interface SandboxInventory {
  links: readonly Link[];
  bridgeIndexes: ReadonlySet<number>;
  /** Alias of our links that have left the bridge. */
  alias: string;
  /** File names in the folder of namespaces. */
  netnsNames: readonly string[];
  /** Names of links, and containers, that belong to something running. */
  keepLinks: ReadonlySet<string>;
  keepContainers: ReadonlySet<string>;
}

export type CleanupStep = { step: 'removeNetns'; containerId: string } | { step: 'removeLink'; name: string };

/** What is ours and belongs to nothing running. Links first: deleting one end takes the end inside along. */
export function planCleanup(inventory: SandboxInventory): CleanupStep[] {
  const ours = inventory.links.filter(
    (link) =>
      link.kind === 'veth' &&
      ((inventory.bridgeIndexes.has(link.masterIndex ?? 0) && link.name.startsWith('veth')) ||
        link.alias === inventory.alias),
  );
  return [
    ...ours
      .filter((link) => !inventory.keepLinks.has(link.name))
      .map((link): CleanupStep => ({ step: 'removeLink', name: link.name })),
    ...inventory.netnsNames
      .filter((name) => !inventory.keepContainers.has(name))
      .map((containerId): CleanupStep => ({ step: 'removeNetns', containerId })),
  ];
}
