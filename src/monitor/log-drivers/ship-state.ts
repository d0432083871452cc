import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isErrno } from '#lib';
import type { LogPosition } from '../log-source.ts';
import type { OpenLine, OpenLines } from './message-splitter.ts';

/** How far a log has been delivered. */
export interface ShipState {
  /** The first record not delivered yet; undefined: from the very beginning. */
  source: LogPosition | undefined;
  open: OpenLines;
}

type StoredLine = { data: string; time: string; id: string; ordinal: number };

interface StoredState {
  source?: { inode: string; offset: number };
  open: Partial<Record<'stdout' | 'stderr', StoredLine>>;
}

/** Replaces the stored state in one step. */
export function saveShipState(path: string, { source, open }: ShipState): void {
  const stored: StoredState = {
    ...(source ? { source: { inode: String(source.inode), offset: source.offset } } : {}),
    open: {
      ...(open.stdout ? { stdout: toStored(open.stdout) } : {}),
      ...(open.stderr ? { stderr: toStored(open.stderr) } : {}),
    },
  };
  writeFileSync(`${path}.new`, JSON.stringify(stored), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The state of a log that nothing was delivered of, where there is none. Only {@link saveShipState} writes the file. */
export function loadShipState(path: string): ShipState {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { source: undefined, open: {} };
    throw error;
  }
  const { source, open }: StoredState = JSON.parse(text);
  return {
    source: source && { inode: BigInt(source.inode), offset: source.offset },
    open: {
      ...(open.stdout ? { stdout: fromStored(open.stdout) } : {}),
      ...(open.stderr ? { stderr: fromStored(open.stderr) } : {}),
    },
  };
}

function toStored({ data, time, id, ordinal }: OpenLine): StoredLine {
  return { data: data.toString('base64'), time: String(time), id, ordinal };
}

function fromStored({ data, time, id, ordinal }: StoredLine): OpenLine {
  return { data: Buffer.from(data, 'base64'), time: BigInt(time), id, ordinal };
}
