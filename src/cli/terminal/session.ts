import { Demultiplexer, type HijackedStream } from '#client';
import { CliError } from '../framework/errors.ts';
import type { CliIo } from '../io.ts';
import { DetachKeyScanner, parseDetachKeys } from './detach-keys.ts';
import { writeToFd } from './fd-writer.ts';
import { enterRawMode } from './raw-mode.ts';

/** The streams of the process to join with a hijacked one. */
export interface SessionOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** The other side has a terminal: its output is one stream, keys go through as they are. */
  readonly tty: boolean;
  /** Empty for the default ones. */
  readonly detachKeys: string;
}

/** How a session ended: the other side closed it, or the user typed the detach keys. */
export type SessionEnd = 'closed' | 'detached';

/** A hijacked stream joined with the process's streams. */
export interface Session {
  /** Settles when it is over; the terminal is itself again by then. */
  readonly ended: Promise<SessionEnd>;
  /** Ends it now. */
  stop(): void;
}

/**
 * Joins them until the output ends (the input, if no output is wanted) or the user detaches. The terminal is raw
 * meanwhile, if both sides have one.
 *
 * The end of standard input is passed on and leaves the output alone.
 *
 * @throws {@link CliError} when the detach keys are wrong; then nothing was changed.
 */
export function startSession(io: CliIo, stream: HijackedStream, options: SessionOptions): Session {
  const interactive = options.stdin && options.tty;
  const scanner = interactive ? new DetachKeyScanner(parseDetachKeys(options.detachKeys)) : undefined;
  const restore = interactive ? enterRawMode(io) : () => undefined;
  const input = options.stdin ? new InputPump(io, stream, scanner) : undefined;
  if (!input) stream.closeWrite();
  const output = options.stdout || options.stderr ? copyOutput(stream, options) : undefined;
  const contenders: Promise<SessionEnd>[] = [];
  if (output) contenders.push(output.then(() => 'closed' as const));
  if (input) contenders.push(input.detached.then(() => 'detached' as const));
  if (input && !output) contenders.push(input.ended.then(() => 'closed' as const));
  const ended = Promise.race(contenders).finally(() => {
    restore();
    input?.stop();
  });
  return {
    ended,
    stop: () => {
      restore();
      input?.stop();
      stream.destroy();
    },
  };
}

/** Moves standard input into the stream, reading no faster than the daemon takes it. */
class InputPump {
  readonly detached: Promise<void>;
  readonly ended: Promise<void>;
  readonly #stdin: NodeJS.ReadStream;
  readonly #onData: (chunk: Buffer) => void;
  readonly #onEnd: () => void;

  constructor(io: CliIo, stream: HijackedStream, scanner: DetachKeyScanner | undefined) {
    const detached = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.detached = detached.promise;
    this.ended = ended.promise;
    this.#stdin = io.stdin;
    this.#onData = (chunk) => {
      const scanned = scanner?.scan(chunk) ?? { bytes: chunk, detached: false };
      this.#stdin.pause();
      stream.write(scanned.bytes).then(
        () => (scanned.detached ? detached.resolve() : this.#stdin.resume()),
        // The daemon takes no more input; the output tells how it ends.
        () => ended.resolve(),
      );
    };
    this.#onEnd = () => {
      stream.closeWrite();
      ended.resolve();
    };
    this.#stdin.on('data', this.#onData);
    this.#stdin.once('end', this.#onEnd);
    this.#stdin.once('error', this.#onEnd);
  }

  stop(): void {
    this.#stdin.off('data', this.#onData);
    this.#stdin.off('end', this.#onEnd);
    this.#stdin.off('error', this.#onEnd);
    this.#stdin.pause();
  }
}

async function copyOutput(stream: HijackedStream, options: SessionOptions): Promise<void> {
  try {
    if (options.tty) {
      for await (const chunk of stream) await writeToFd(1, [chunk]);
    } else {
      await copyFramed(stream);
    }
  } catch (error) {
    // A connection that breaks is its end; what is wrong with the daemon shows in the wait that follows.
    if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) throw error;
  }
}

/** Copies a multiplexed stream to standard output and error. */
export async function copyFramed(stream: AsyncIterable<Uint8Array>): Promise<void> {
  const demultiplexer = new Demultiplexer();
  for await (const chunk of stream) {
    let fd = 1;
    let pieces: Uint8Array[] = [];
    for (const piece of demultiplexer.push(chunk)) {
      const target = piece.stream === 'stderr' ? 2 : 1;
      if (target !== fd) {
        await writeToFd(fd, pieces);
        pieces = [];
        fd = target;
      }
      pieces.push(piece.bytes);
    }
    await writeToFd(fd, pieces);
  }
}

/**
 * Refuses to join a terminal on the other side with a standard input that is none.
 *
 * @throws {@link CliError}
 */
export function checkTty(io: CliIo, attachStdin: boolean, tty: boolean): void {
  if (attachStdin && tty && !io.isTerminal('stdin')) throw new CliError('the input device is not a TTY');
}
