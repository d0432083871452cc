import { lstatSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { hasErrno } from '#sys';
import type { PathInfo } from '../contract.ts';
import { decodeText, encodeText, toFsPath } from '../tar/text.ts';

/** As many links as the kernel and Go follow, roughly; more are a loop. */
const MAX_LINKS = 255;

/** What is at `path` below the calling thread's root. */
export function lookUpPath(path: string): PathInfo {
  const stat = lstatSync(encodeText(path), { bigint: true });
  return {
    sizeBytes: Number(stat.size),
    mode: Number(stat.mode),
    mtimeNs: stat.mtimeNs,
    linkTarget: stat.isSymbolicLink() ? follow(path, 'as far as possible') : '',
  };
}

/** The path without links; everything on it must be there. */
export function resolvePath(path: string): string {
  const resolved = follow(path, 'wholly');
  lstatSync(toFsPath(path.endsWith('/') ? `${resolved}/` : resolved));
  return resolved;
}

/** Follows all links of an absolute path below the thread's root. Only names come of it: the kernel does the keeping in. */
function follow(path: string, how: 'wholly' | 'as far as possible'): string {
  let done = '/';
  const ahead = path.split('/');
  for (let links = 0; ahead.length > 0;) {
    const part = ahead.shift();
    if (part === undefined || part === '' || part === '.') continue;
    const next = posix.join(done, part);
    const target = part === '..' ? undefined : readLink(next, how);
    if (target === undefined) {
      done = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw Object.assign(new Error(`too many links in ${path}`), { code: 'ELOOP', errno: -40 });
    if (target.startsWith('/')) done = '/';
    ahead.unshift(...target.split('/'));
  }
  return done;
}

function readLink(path: string, how: 'wholly' | 'as far as possible'): string | undefined {
  try {
    return decodeText(readlinkSync(toFsPath(path), { encoding: 'buffer' }));
  } catch (error) {
    if (hasErrno(error, 'EINVAL')) return undefined;
    if (how === 'as far as possible' && hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
