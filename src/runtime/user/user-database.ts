export interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

export interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

/** The largest id Docker accepts; the kernel's largest are special. */
export const MAX_ID: number = 2 ** 31 - 1;

/** Entries of an `/etc/passwd`. Lines without usable numbers are skipped: taking them for 0 would make them root. */
export function parsePasswd(text: string): PasswdEntry[] {
  return lines(text).flatMap((line) => {
    const [name = '', , uidText = '', gidText = '', , home = ''] = line.split(':');
    const uid = parseId(uidText);
    const gid = parseId(gidText);
    return typeof uid === 'number' && typeof gid === 'number' ? [{ name, uid, gid, home }] : [];
  });
}

/** Entries of an `/etc/group`, likewise. */
export function parseGroup(text: string): GroupEntry[] {
  return lines(text).flatMap((line) => {
    const [name = '', , gidText = '', members = ''] = line.split(':');
    const gid = parseId(gidText);
    return typeof gid === 'number'
      ? [{ name, gid, members: members.split(',').filter((member) => member !== '') }]
      : [];
  });
}

/** A decimal id; `range` for a number that is none, undefined for what is no number. */
export function parseId(text: string): number | 'range' | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const id = Number(text);
  return id >= 0 && id <= MAX_ID ? id : 'range';
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
