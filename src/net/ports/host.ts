import type { Sys } from '#sys';

/** What the kernel begins with, as dockerd falls back to. */
const usual = { first: 49153, last: 65535 } as const;

/** The ports that the host gives to whoever names none. */
export function readEphemeralPorts(sys: Sys): { first: number; last: number } {
  const [first = 0, last = 0] = (sys.namespaces.readSysctl('net/ipv4/ip_local_port_range') ?? '')
    .split(/\s+/)
    .map(Number);
  return first > 0 && last >= first ? { first, last } : usual;
}

/** Whether sockets can be bound to `::`. */
export function hostHasIpv6(sys: Sys): boolean {
  return sys.namespaces.readSysctl('net/ipv6/conf/lo/disable_ipv6') === '0';
}
