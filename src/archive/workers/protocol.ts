import { EngineError, type ErrorKind, findEngineError } from '#errors';
import { errnoKind, errnoName } from '#sys';
import type {
  ArchiveLimits,
  ContainerView,
  PathInfo,
  SelectedPath,
  SelectOptions,
  TreeChange,
  UnpackOptions,
  UnpackResult,
} from '../contract.ts';

/** What a worker can be asked to do; one job at a time. */
export type Job =
  | {
      kind: 'unpack';
      root: string | ContainerView;
      /** Where in `root` the archive goes. */
      directory: string;
      /** An open file to read; undefined when the bytes come as messages. */
      sourceFd: number | undefined;
      whiteouts: UnpackOptions['whiteouts'];
      noOverwriteDirNonDir: boolean;
      owner: { uid: number; gid: number } | undefined;
      limits: ArchiveLimits;
    }
  | {
      kind: 'pack';
      root: string | ContainerView;
      path: string;
      rename: string | undefined;
      overlayUpper: boolean;
    }
  | { kind: 'match'; root: string; sources: readonly string[]; ignore: readonly string[] }
  | ({ kind: 'select' } & Omit<SelectOptions, 'signal'>)
  | { kind: 'lookUp'; root: ContainerView; path: string }
  | { kind: 'resolve'; root: ContainerView; path: string }
  | { kind: 'changes'; upper: string; lowers: readonly string[] };

/** `lookUp` answers with what is there, `resolve` with the path without links. */
export type JobResult = UnpackResult | TreeChange[] | { matches: SelectedPath[] } | PathInfo | string | undefined;

/** Shared memory of a job: see {@link JobControl}. */
export type ControlCells = Int32Array<SharedArrayBuffer>;

export type ToWorker =
  | { kind: 'job'; job: Job; control: ControlCells }
  | { kind: 'chunk'; bytes: Uint8Array }
  /** No more chunks: the source ended, or broke off when `broken`. */
  | { kind: 'sourceEnd'; broken: boolean };

export type FromWorker =
  | { kind: 'ready' }
  /** Bytes of the source that the worker is done with, so that more may be sent. */
  | { kind: 'consumed'; bytes: number }
  | { kind: 'chunk'; bytes: Uint8Array }
  | { kind: 'done'; result: JobResult }
  | { kind: 'failed'; error: WireError };

export interface WireError {
  kind: ErrorKind;
  code: string;
  message: string;
  details: Readonly<Record<string, unknown>>;
}

export function toWireError(error: unknown): WireError {
  const known = findEngineError(error);
  if (known) return { kind: known.kind, code: known.code, message: known.message, details: known.details };
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    const errno = errnoName(-error.errno);
    return { kind: errnoKind(-error.errno), code: `SYS_${errno}`, message: error.message, details: { errno } };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: 'internal', code: 'ARCHIVE_WORKER', message, details: {} };
}

export function fromWireError({ kind, code, message, details }: WireError): EngineError {
  return new EngineError(kind, code, message, { details });
}
