import { linuxCgroups } from './cgroups/index.ts';
import { linuxConntrack } from './conntrack.ts';
import { linuxFiles } from './files/index.ts';
import { linuxMounts } from './mounts/index.ts';
import { linuxNamespaces } from './namespaces/index.ts';
import { linuxNetlink } from './netlink/index.ts';
import { linuxNft } from './nft/index.ts';
import { linuxProcesses } from './processes/index.ts';
import { linuxSockets } from './sockets/index.ts';
import type { Sys } from './sys.ts';

/** The real kernel. Costs nothing until the first call; each thread makes its own. */
export function createLinuxSys(): Sys {
  return {
    mounts: linuxMounts,
    namespaces: linuxNamespaces,
    sockets: linuxSockets,
    processes: linuxProcesses,
    files: linuxFiles,
    netlink: linuxNetlink,
    nft: linuxNft,
    conntrack: linuxConntrack,
    cgroups: linuxCgroups,
  };
}
