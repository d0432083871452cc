import { linuxFiles } from './files/index.ts';
import { linuxMounts } from './mounts/index.ts';
import { linuxNamespaces } from './namespaces/index.ts';
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
  };
}
