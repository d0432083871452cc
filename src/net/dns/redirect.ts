import type { NftChange, NftExpression, NftSocket } from '#sys';

/** Where containers ask. */
export const RESOLVER_ADDRESS = '127.0.0.11';
const DNS_PORT = 53;
const PROTOCOL = { tcp: 6, udp: 17 } as const;
const CHECKSUM_OFFSET = { tcp: 16, udp: 6 } as const;
const ADDRESS_OFFSET = { source: 12, destination: 16 } as const;
const PORT_OFFSET = { source: 0, destination: 2 } as const;
/** Before connections are tracked. */
const PRIORITY_RAW = -300;
const TABLE = { family: 'ip', table: 'berth-dns' } as const;
const CHAIN = 'output';

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 0xff]);
}

/** Gives packets from or to the resolver's address another port there. */
function rewrite(side: 'source' | 'destination', protocol: 'tcp' | 'udp', from: number, to: number): NftExpression[] {
  const address = Buffer.from(RESOLVER_ADDRESS.split('.').map(Number));
  const port = { base: 'transport', offset: PORT_OFFSET[side], length: 2, register: 0 } as const;
  return [
    { op: 'payload', base: 'network', offset: ADDRESS_OFFSET[side], length: 4, register: 0 },
    { op: 'cmp', register: 0, comparison: 'eq', data: address },
    { op: 'meta', key: 'l4proto', register: 0 },
    { op: 'cmp', register: 0, comparison: 'eq', data: Buffer.from([PROTOCOL[protocol]]) },
    { op: 'payload', ...port },
    { op: 'cmp', register: 0, comparison: 'eq', data: portBytes(from) },
    { op: 'load', register: 0, data: portBytes(to) },
    { op: 'payloadSet', ...port, checksumOffset: CHECKSUM_OFFSET[protocol] },
  ];
}

/** Where a resolver listens. */
export interface ResolverPorts {
  udp: number;
  tcp: number;
}

/**
 * Rules for a container's namespace that lead port 53 of the resolver's address to the ports that the resolver has, and
 * give answers port 53 again. So a program in the container may have port 53 of all addresses for itself. Only ports are
 * written over, both ways, so that no connection needs to be tracked.
 */
export function redirectChanges(ports: ResolverPorts): NftChange[] {
  const base = { type: 'filter', hook: 'output', priority: PRIORITY_RAW, policy: 'accept' } as const;
  const rules = (['udp', 'tcp'] as const).flatMap((protocol) => [
    rewrite('destination', protocol, DNS_PORT, ports[protocol]),
    rewrite('source', protocol, ports[protocol], DNS_PORT),
  ]);
  return [
    { ...TABLE, change: 'addTable' },
    { ...TABLE, change: 'addChain', chain: { name: CHAIN, base } },
    ...rules.map((expressions): NftChange => ({ ...TABLE, change: 'addRule', chain: CHAIN, expressions })),
  ];
}

/** Writes the rules in the namespace of the socket, in the place of those that an earlier daemon left. */
export function redirect(nft: NftSocket, ports: ResolverPorts): void {
  // Not always: once a table was deleted, closing the socket waits 10 ms for the kernel.
  const isThere = nft.listRules(TABLE, CHAIN).length > 0;
  nft.commit([...(isThere ? [{ ...TABLE, change: 'removeTable' } as const] : []), ...redirectChanges(ports)]);
}
