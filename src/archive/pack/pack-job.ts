import { posix } from 'node:path';
import type { Sys, WalkEntry } from '#sys';
import { endOfArchive } from '../tar/encode-header.ts';
import { decodeText, encodeText } from '../tar/text.ts';
import type { Job } from '../workers/protocol.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { TreePacker } from './tree-packer.ts';

/** Where the names of entries start: what the archive calls the packed path itself, empty when it is not named. */
type RootName = string;

type PackJob = Extract<Job, { kind: 'pack' }>;

/** Packs from `/` of the calling thread into `sink`, in byte order of names, each directory before what it holds. */
export function runPack(job: PackJob, sink: ChunkSink, files: Sys['files']): void {
  const packer = new TreePacker(job.overlayUpper, sink);
  const start = `/${job.path}`;
  const rootName = job.rename ?? ownName(start);
  for (const entry of files.walkTree(encodeText(start), { sorted: true, xattrs: true })) {
    packer.add(entry, nameOf(rootName, entry));
  }
  sink.write(endOfArchive());
  sink.flush();
}

function ownName(path: string): RootName {
  return posix.basename(posix.normalize(path));
}

function nameOf(rootName: RootName, entry: WalkEntry): string {
  const below = decodeText(entry.path);
  if (rootName === '' || below === '') return rootName === '' ? below : rootName;
  return rootName.endsWith('/') ? `${rootName}${below}` : `${rootName}/${below}`;
}
