import { invalidArchive } from '../errors.ts';
import type { RawHeader } from './decode-header.ts';
import { NO_XATTRS, type TarEntryType, type TarHeader } from './header.ts';
import type { PaxRecords } from './pax.ts';

/** What extension headers before an entry said about it; the PAX records win over GNU's long names. */
export interface Extensions {
  pax: PaxRecords;
  longName: string | undefined;
  longLink: string | undefined;
}

/** Joins a header block with its extensions; `storedBytes` is how much of the archive follows as its data. */
export function resolveHeader(
  raw: RawHeader,
  { pax, longName, longLink }: Extensions,
): { header: TarHeader; storedBytes: number } {
  const name = pax.sparse?.name ?? pax.path ?? longName ?? raw.name;
  const type = entryType(raw.typeFlag, name);
  const sizeBytes = pax.sizeBytes ?? raw.sizeBytes;
  if (sizeBytes < 0) throw invalidArchive(`negative size of ${JSON.stringify(name)}`);
  // A plain file whose name ends in a slash is how v7 wrote a directory; its data, if any, is still there to be skipped.
  const stored = type === 'file' || isFileFlag(raw.typeFlag) ? sizeBytes : 0;
  const header: TarHeader = {
    name,
    type,
    mode: raw.mode & 0o7777,
    uid: pax.uid ?? raw.uid,
    gid: pax.gid ?? raw.gid,
    uname: pax.uname ?? raw.uname,
    gname: pax.gname ?? raw.gname,
    sizeBytes: type === 'file' ? sizeBytes : 0,
    mtimeNs: pax.mtimeNs ?? BigInt(raw.mtimeSeconds) * 1_000_000_000n,
    linkName: type === 'hardlink' || type === 'symlink' ? (pax.linkPath ?? longLink ?? raw.linkName) : '',
    deviceMajor: raw.deviceMajor,
    deviceMinor: raw.deviceMinor,
    xattrs: pax.xattrs ?? NO_XATTRS,
  };
  if (name === '') throw invalidArchive('an entry has no name');
  return { header, storedBytes: stored };
}

function isFileFlag(flag: string): boolean {
  return flag === '0' || flag === '\0' || flag === '7' || flag === 'S';
}

function entryType(flag: string, name: string): TarEntryType {
  if (isFileFlag(flag)) return name.endsWith('/') && flag !== 'S' ? 'directory' : 'file';
  switch (flag) {
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '3':
      return 'char';
    case '4':
      return 'block';
    case '5':
      return 'directory';
    case '6':
      return 'fifo';
    default:
      throw invalidArchive(`unhandled tar header type ${flag.charCodeAt(0)} of ${JSON.stringify(name)}`, { name });
  }
}
