/** Namespace and sharing flags of unshare(2) and setns(2). */
export const CLONE = {
  FS: 0x200,
  FILES: 0x400,
  NEWNS: 0x20000,
  NEWCGROUP: 0x2000000,
  NEWUTS: 0x4000000,
  NEWIPC: 0x8000000,
  NEWUSER: 0x10000000,
  NEWPID: 0x20000000,
  NEWNET: 0x40000000,
} as const;
