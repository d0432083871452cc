export type { Sys } from './sys.ts';
export { createLinuxSys } from './linux-sys.ts';
export { createRecordingSys, type RecordedAnswers, type RecordedCall, type RecordingSys } from './recording-sys.ts';
export { errnoKind, errnoName, hasErrno, sysError } from './errno.ts';
export type { FilePath } from './native/path.ts';

export type { Mounts } from './mounts/index.ts';
export { AT, MNT, MOUNT_ATTR, MS, OPEN_TREE, type Propagation } from './mounts/flags.ts';
export type { BindOptions } from './mounts/mount.ts';
export type { MountAttributes } from './mounts/mount-api.ts';
export { type MountInfo, parseMountInfo } from './mounts/mountinfo.ts';
export type { OverlayMount } from './mounts/overlay-options.ts';

export type { Namespaces } from './namespaces/index.ts';
export { CLONE } from './namespaces/flags.ts';

export type { DatagramBatch } from './sockets/datagram-batch.ts';
export type { Sockets } from './sockets/index.ts';
export { type FdEvents, type FdWatch, POLL, type PollEntry } from './sockets/poll.ts';
export type { SocketOptions } from './sockets/seqpacket.ts';
export type { HeldPort, PortedProtocol } from './sockets/held-port.ts';
export type { ReceivedWithFds } from './sockets/pass-fds.ts';

export type { Processes } from './processes/index.ts';
export { RLIMIT, type Rlimit, type RlimitName } from './processes/rlimits.ts';
export type { ProcessStat } from './processes/procfs.ts';
export type { WaitStatus } from './processes/signals.ts';
export type { SpawnRequest } from './processes/spawn.ts';

export type { Files } from './files/index.ts';
export { FALLOC } from './files/extents.ts';
export { type FileTimes, makeDevice, splitDevice } from './files/nodes.ts';
export { O, type OpenHow, RENAME, RESOLVE } from './files/open.ts';
export type { FilesystemStat } from './files/statfs.ts';
export type { WalkEntry, WalkOptions } from './files/walk.ts';

export type { Netlink } from './netlink/index.ts';
export type { RouteSocket } from './netlink/route-socket.ts';
export type { Link, LinkSettings, LinkStats, NewLink, VethPair } from './netlink/links.ts';
export type { InterfaceAddress } from './netlink/addresses.ts';
export type { Route, RouteSettings } from './netlink/routes.ts';
export { ipFromBytes, ipToBytes, macFromBytes, macToBytes } from './netlink/addresses-text.ts';

export type { Conntrack } from './conntrack.ts';

export type { Nft } from './nft/index.ts';
export type { NftSocket } from './nft/nft-socket.ts';
export type { NftChange } from './nft/changes.ts';
export { ifnameBytes, type NftField, type NftValue } from './nft/fields.ts';
export { planElements, planTable, planTableRemoval } from './nft/plan.ts';
export type {
  ListedChain,
  ListedRule,
  NftChain,
  NftElement,
  NftExpression,
  NftSet,
  NftTable,
  NftTableRef,
  NftVerdict,
} from './nft/model.ts';

export type { Cgroups } from './cgroups/index.ts';
export type { CgroupLayout, CgroupPaths } from './cgroups/layout.ts';
export type { CgroupStats, CpuStats, MemoryStats, PidsStats, SystemCpu } from './cgroups/stats.ts';
export type { BlkioEntry } from './cgroups/parse.ts';
