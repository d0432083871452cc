import { writeSync } from 'node:fs';

/** The process's three streams. Commands write through this, so that tests can look. */
export interface CliIo {
  /** Writes all of it before it returns; for answers, not for bulk data. */
  out(chunk: string | Uint8Array): void;
  err(chunk: string | Uint8Array): void;
  readonly stdin: NodeJS.ReadStream;
  /** For bulk data: writes with back-pressure. */
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  isTerminal(stream: 'stdin' | 'stdout' | 'stderr'): boolean;
  /** Columns of the terminal at standard input or output; 80 without one. */
  columns(): number;
}

/** Standard output was closed by its reader (`… | head`): the command has nothing more to do. */
export class BrokenPipeError extends Error {}

const descriptors = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Node's streams that were asked for, which may still hold what was written. */
const used = new Set<NodeJS.WriteStream>();

/** The real streams. Node's stream objects are made only when a command asks for one. */
export const processIo: CliIo = {
  out: (chunk) => writeAll(1, chunk),
  err: (chunk) => writeAll(2, chunk),
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    used.add(process.stdout);
    return process.stdout;
  },
  get stderr() {
    used.add(process.stderr);
    return process.stderr;
  },
  isTerminal: (stream) => isTerminal(descriptors[stream]),
  columns: () => {
    if (isTerminal(0) || isTerminal(1)) return process.stdout.columns || process.stderr.columns || 80;
    return 80;
  },
};

/** Waits until everything written to the process's streams has gone to the system; call it before the process exits. */
export async function flushProcessStreams(): Promise<void> {
  for (const stream of used) {
    if (stream.destroyed || stream.writableLength === 0) continue;
    await new Promise<void>((resolve) => {
      stream.once('error', () => resolve());
      stream.write('', () => resolve());
    });
  }
}

/** Looked up when needed: loading `node:tty` early costs more than a short command takes. */
function isTerminal(fd: number): boolean {
  return process.getBuiltinModule('node:tty').isatty(fd);
}

function writeAll(fd: number, chunk: string | Uint8Array): void {
  let left = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(fd, left));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EPIPE') throw new BrokenPipeError('broken pipe', { cause: error });
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}
