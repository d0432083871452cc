import { MS } from '#sys';

/** The words of `mount -o` that are flags of mount(2): what each sets or clears. See mount(8). */
const flagWords: Readonly<Record<string, { set: number } | { clear: number }>> = {
  defaults: { set: 0 },
  ro: { set: MS.RDONLY },
  rw: { clear: MS.RDONLY },
  suid: { clear: MS.NOSUID },
  nosuid: { set: MS.NOSUID },
  dev: { clear: MS.NODEV },
  nodev: { set: MS.NODEV },
  exec: { clear: MS.NOEXEC },
  noexec: { set: MS.NOEXEC },
  sync: { set: MS.SYNCHRONOUS },
  async: { clear: MS.SYNCHRONOUS },
  dirsync: { set: MS.DIRSYNC },
  remount: { set: MS.REMOUNT },
  mand: { set: MS.MANDLOCK },
  nomand: { clear: MS.MANDLOCK },
  atime: { clear: MS.NOATIME },
  noatime: { set: MS.NOATIME },
  diratime: { clear: MS.NODIRATIME },
  nodiratime: { set: MS.NODIRATIME },
  relatime: { set: MS.RELATIME },
  norelatime: { clear: MS.RELATIME },
  strictatime: { set: MS.STRICTATIME },
  nostrictatime: { clear: MS.STRICTATIME },
  bind: { set: MS.BIND },
  rbind: { set: MS.BIND | MS.REC },
  unbindable: { set: MS.UNBINDABLE },
  runbindable: { set: MS.UNBINDABLE | MS.REC },
  private: { set: MS.PRIVATE },
  rprivate: { set: MS.PRIVATE | MS.REC },
  shared: { set: MS.SHARED },
  rshared: { set: MS.SHARED | MS.REC },
  slave: { set: MS.SLAVE },
  rslave: { set: MS.SLAVE | MS.REC },
};

const propagationFlags = MS.SHARED | MS.PRIVATE | MS.SLAVE | MS.UNBINDABLE;

/** One call of mount(2), the target left out. */
export interface MountCall {
  source: string;
  fsType: string;
  flags: number;
  data: string;
}

/** Takes `mount -o`'s words apart: flags of mount(2), and what goes to the file system as it is. */
export function parseMountOptions(text: string): { flags: number; data: string } {
  let flags = 0;
  const data: string[] = [];
  for (const word of text === '' ? [] : text.split(',')) {
    const effect = Object.hasOwn(flagWords, word) ? flagWords[word] : undefined;
    if (effect === undefined) data.push(word);
    else if ('set' in effect) flags |= effect.set;
    else flags &= ~effect.clear;
  }
  return { flags, data: data.join(',') };
}

/**
 * The calls of mount(2) that a mount takes: the kernel sets propagation, and makes a bind read-only, only afterwards.
 */
export function planMountCalls(device: string, fsType: string, options: string): MountCall[] {
  const { flags, data } = parseMountOptions(options);
  const plain = flags & ~propagationFlags;
  const calls: MountCall[] = [{ source: device, fsType, flags: plain, data }];
  if ((flags & propagationFlags) !== 0) {
    calls.push({ source: '', fsType: '', flags: flags & (propagationFlags | MS.REC | MS.SILENT), data: '' });
  }
  if ((plain & MS.BIND) !== 0 && (plain & MS.RDONLY) !== 0) {
    calls.push({ source: '', fsType: '', flags: plain | MS.REMOUNT, data: '' });
  }
  return calls;
}
