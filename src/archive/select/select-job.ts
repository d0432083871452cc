import { posix } from 'node:path';
import { PathPatterns } from '#spec';
import type { Sys } from '#sys';
import type { SelectOptions } from '../contract.ts';
import type { ChunkSink } from '../pack/chunk-sink.ts';
import { TreePacker } from '../pack/tree-packer.ts';
import { endOfArchive } from '../tar/encode-header.ts';
import type { TarHeaderInit } from '../tar/header.ts';
import { decodeText, encodeText } from '../tar/text.ts';
import { applyMode, parseMode } from './chmod.ts';

export type SelectJob = Omit<SelectOptions, 'root' | 'signal'>;

/** Packs what was selected, from `/` of the calling thread, under the names it gets. */
export function runSelect(job: SelectJob, sink: ChunkSink, files: Sys['files']): void {
  const packer = new TreePacker(false, sink, headerChange(job));
  const ignored = new PathPatterns(job.ignore);
  const excluded = new PathPatterns(job.exclude);
  for (const { from, shown, to } of job.entries) {
    const walk = files.walkTree(encodeText(`/${from}`), { sorted: true, xattrs: true });
    for (let next = walk.next(); next.done !== true;) {
      const entry = next.value;
      const below = decodeText(entry.path);
      const isLeftOut =
        isMatched(ignored, posix.join(shown, below)) ||
        isMatched(excluded, below === '' ? posix.basename(shown) : below);
      if (!isLeftOut) packer.add(entry, below === '' ? to : posix.join(to, below));
      const prune = isLeftOut && !ignored.hasExceptions && !excluded.hasExceptions;
      next = walk.next(prune ? 'skip' : undefined);
    }
  }
  sink.write(endOfArchive());
  sink.flush();
}

function isMatched(patterns: PathPatterns, path: string): boolean {
  return !patterns.isEmpty && path !== '' && path !== '.' && patterns.matches(path);
}

function headerChange({ owner, mode, withoutTimes }: SelectJob): (header: TarHeaderInit) => TarHeaderInit {
  const change = mode === '' ? undefined : parseMode(mode);
  return (header) => ({
    ...header,
    ...owner,
    ...(withoutTimes ? { mtimeNs: 0n } : {}),
    ...(change && header.type !== 'symlink'
      ? { mode: applyMode(change, header.mode ?? 0, header.type === 'directory') }
      : {}),
  });
}
