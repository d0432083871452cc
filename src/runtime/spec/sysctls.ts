import type { ContainerConfig, HostConfig } from '#spec';
import type { NamespaceChoices } from './namespaces.ts';

/**
 * Kernel settings of a container's network namespace: Docker's defaults (ping and low ports for everyone) and the
 * user's `net.*` ones over them. Whoever makes the namespace applies them; the runtime does if it makes it.
 */
export function networkSysctls(host: Pick<HostConfig, 'Sysctls'>): Record<string, string> {
  const own = Object.entries(host.Sysctls ?? {}).filter(([name]) => name.startsWith('net.'));
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': '0 2147483647',
    ...Object.fromEntries(own),
  };
}

/** Kernel settings that the runtime applies. Of the network only in a namespace it makes itself. */
export function buildSysctls(
  config: Pick<ContainerConfig, 'Domainname'>,
  host: Pick<HostConfig, 'Sysctls'>,
  namespaces: NamespaceChoices,
): Record<string, string> {
  const own = Object.entries(host.Sysctls ?? {}).filter(([name]) => !name.startsWith('net.'));
  return {
    ...(config.Domainname !== '' && namespaces.uts !== 'host' ? { 'kernel.domainname': config.Domainname } : {}),
    ...(namespaces.network === 'new' ? networkSysctls(host) : {}),
    ...Object.fromEntries(own),
  };
}
