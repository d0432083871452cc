import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isErrno } from '#lib';
import { noPendingLines, type PendingLines } from './json-encoder.ts';

/** How far conmon's log has been converted, and where that ends in the json-file. */
export interface JsonLogState {
  /** The first record not converted yet; undefined: from the very beginning. */
  source: { inode: bigint; offset: number } | undefined;
  pending: PendingLines;
  /** Bytes that came of later records and lie in files rotated away. */
  doneBytes: number;
  target: { inode: bigint; sizeBytes: number };
  /** `target` is about to become the newest rotated file. */
  rotating: boolean;
}

interface StoredLine {
  data: string;
  splitTime: string;
  lastTime: string;
}

interface StoredState {
  source?: { inode: string; offset: number };
  pending?: { stdout: StoredLine; stderr: StoredLine };
  doneBytes: number;
  target: { inode: string; sizeBytes: number };
  rotating: boolean;
}

/** Replaces the stored state in one step. */
export function saveState(path: string, state: JsonLogState): void {
  const { source, pending, doneBytes, target, rotating } = state;
  const isPending = pending.stdout.lastTime !== '' || pending.stderr.lastTime !== '';
  const stored: StoredState = {
    ...(source ? { source: { inode: String(source.inode), offset: source.offset } } : {}),
    ...(isPending
      ? {
          pending: {
            stdout: { ...pending.stdout, data: pending.stdout.data.toString('base64') },
            stderr: { ...pending.stderr, data: pending.stderr.data.toString('base64') },
          },
        }
      : {}),
    doneBytes,
    target: { inode: String(target.inode), sizeBytes: target.sizeBytes },
    rotating,
  };
  writeFileSync(`${path}.new`, JSON.stringify(stored), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Undefined when nothing was ever converted. The file is only ever written by {@link saveState}. */
export function loadState(path: string): JsonLogState | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const { source, pending, doneBytes, target, rotating }: StoredState = JSON.parse(text);
  return {
    source: source && { inode: BigInt(source.inode), offset: source.offset },
    pending: pending
      ? {
          stdout: { ...pending.stdout, data: Buffer.from(pending.stdout.data, 'base64') },
          stderr: { ...pending.stderr, data: Buffer.from(pending.stderr.data, 'base64') },
        }
      : noPendingLines(),
    doneBytes,
    target: { inode: BigInt(target.inode), sizeBytes: target.sizeBytes },
    rotating,
  };
}
