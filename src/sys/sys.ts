import type { Cgroups } from './cgroups/index.ts';
import type { Conntrack } from './conntrack.ts';
import type { Files } from './files/index.ts';
import type { Mounts } from './mounts/index.ts';
import type { Namespaces } from './namespaces/index.ts';
import type { Netlink } from './netlink/index.ts';
import type { Nft } from './nft/index.ts';
import type { Processes } from './processes/index.ts';
import type { Sockets } from './sockets/index.ts';

/**
 * The only door to the kernel beyond what Node offers. Every call is synchronous, in-process, takes microseconds to
 * milliseconds, and throws an EngineError made from errno. Code above takes this interface, so that its tests can hand
 * in {@link createRecordingSys} instead.
 */
export interface Sys {
  readonly mounts: Mounts;
  readonly namespaces: Namespaces;
  readonly sockets: Sockets;
  readonly processes: Processes;
  readonly files: Files;
  readonly netlink: Netlink;
  readonly nft: Nft;
  readonly conntrack: Conntrack;
  readonly cgroups: Cgroups;
}
