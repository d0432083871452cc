import { readFileSync } from 'node:fs';

/** One line of `/proc/<pid>/mountinfo`; see proc_pid_mountinfo(5). */
export interface MountInfo {
  id: number;
  parentId: number;
  major: number;
  minor: number;
  /** What of the filesystem is mounted; for a namespace file like `net:[4026532008]`. */
  root: string;
  target: string;
  options: string[];
  /** Peer group when shared. */
  sharedGroup: number | undefined;
  /** Peer group it receives from when a slave. */
  masterGroup: number | undefined;
  unbindable: boolean;
  fsType: string;
  source: string;
  superOptions: string[];
}

/** The kernel writes space, tab, newline and backslash as three octal digits, byte by byte. */
function unescape(field: string): string {
  if (!field.includes('\\')) return field;
  const latin = Buffer.from(field).toString('latin1');
  const bytes = latin.replace(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCharCode(parseInt(digits, 8)));
  return Buffer.from(bytes, 'latin1').toString();
}

function peerGroup(tags: readonly string[], name: string): number | undefined {
  const tag = tags.find((text) => text.startsWith(`${name}:`));
  return tag === undefined ? undefined : Number(tag.slice(name.length + 1));
}

function parseLine(line: string): MountInfo | undefined {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  if (separator === -1) return undefined;
  const [id = '', parent = '', device = '', root = '', target = '', options = ''] = fields;
  const [fsType = '', source = '', superOptions = ''] = fields.slice(separator + 1);
  const tags = fields.slice(6, separator);
  const [major = '', minor = ''] = device.split(':');
  return {
    id: Number(id),
    parentId: Number(parent),
    major: Number(major),
    minor: Number(minor),
    root: unescape(root),
    target: unescape(target),
    options: options.split(','),
    sharedGroup: peerGroup(tags, 'shared'),
    masterGroup: peerGroup(tags, 'master'),
    unbindable: tags.includes('unbindable'),
    fsType: unescape(fsType),
    source: unescape(source),
    superOptions: unescape(superOptions).split(','),
  };
}

/** Parses a whole mountinfo file; lines that are none are left out. */
export function parseMountInfo(text: string): MountInfo[] {
  return text.split('\n').flatMap((line) => {
    const parsed = line === '' ? undefined : parseLine(line);
    return parsed === undefined ? [] : [parsed];
  });
}

/** The mounts that a process sees (default: this one), in the order they were made on each parent. */
export function listMounts(pid: number | 'self' = 'self'): MountInfo[] {
  return parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
}
