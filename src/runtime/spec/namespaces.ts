import type { oci } from '#spec';

/** A new namespace, the host's, or an existing one by its path (`/proc/<pid>/ns/pid`, a bind-mounted netns). */
export type NamespaceChoice = 'new' | 'host' | { path: string };

export interface NamespaceChoices {
  network: NamespaceChoice;
  pid: NamespaceChoice;
  ipc: NamespaceChoice;
  uts: NamespaceChoice;
  cgroup: NamespaceChoice;
}

/** The namespaces of a container; its mounts are always its own. */
export function buildNamespaces(choices: NamespaceChoices): oci.RuntimeNamespace[] {
  const types = ['network', 'uts', 'pid', 'ipc', 'cgroup'] as const;
  return [
    { type: 'mount' },
    ...types.flatMap((type): oci.RuntimeNamespace[] => {
      const choice = choices[type];
      if (choice === 'host') return [];
      return [choice === 'new' ? { type } : { type, path: choice.path }];
    }),
  ];
}
