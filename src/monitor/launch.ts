import { spawn, type StdioOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { Duplex } from 'node:stream';
import { runtimeMessage } from '#spec';
import type { Launched, LaunchRequest } from './contract.ts';
import { conmonArgs } from './conmon-args.ts';
import { launchFailed } from './errors.ts';
import { type SyncMessage, SyncMessageParser } from './sync-messages.ts';

export interface ConmonPlace {
  conmonPath: string;
  exitDirectory: string;
  /** A short path: conmon makes a terminal's rendezvous socket in it. */
  temporaryDirectory: string;
}

export interface LaunchedConmon extends Launched {
  /** Resolves when conmon tells the exit (an exec's) or goes away. */
  ended: Promise<void>;
}

/** Where the pipes that conmon knows by environment variable lie among its descriptors. */
const SYNC_FD = 3;
const START_FD = 4;
const ATTACH_FD = 5;

/**
 * Starts conmon, which puts itself into a session of its own, and waits until the runtime under it has made the process.
 *
 * @throws internal `LAUNCH_FAILED` with the runtime's message.
 */
export async function launchConmon(request: LaunchRequest, place: ConmonPlace): Promise<LaunchedConmon> {
  const gated = request.beforeStart !== undefined;
  const stdio: StdioOptions = ['ignore', 'ignore', 'pipe', 'pipe'];
  if (gated) stdio.push('pipe', 'pipe');
  const child = spawn(place.conmonPath, conmonArgs(request, place.exitDirectory), {
    stdio,
    detached: true,
    cwd: '/',
    env: conmonEnvironment(gated, place.temporaryDirectory),
  });
  const spawnFailed = new Promise<never>((_resolve, reject) => {
    child.once('error', (error) => reject(launchFailed(request.id, `cannot start conmon: ${error.message}`, error)));
  });
  spawnFailed.catch(() => undefined);
  // Only until conmon is a daemon: then it lets go of standard error.
  const complaints = collectText(child.stderr);
  const sync = new MessagePipe(asDuplex(child.stdio[SYNC_FD]));
  if (gated) await Promise.race([openGate(request, child.stdio, sync), spawnFailed]);
  const first = await Promise.race([sync.next(), spawnFailed]);
  if (first === undefined || first.data < 0) {
    const message = runtimeMessage(first?.message ?? (await complaints));
    throw launchFailed(request.id, message || 'conmon ended without a word');
  }
  child.unref();
  sync.unref();
  return { pid: first.data, conmonPid: parentOf(first.data), ended: sync.next().then(() => undefined) };
}

function conmonEnvironment(gated: boolean, temporaryDirectory: string): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    TMPDIR: temporaryDirectory,
    _OCI_SYNCPIPE: String(SYNC_FD),
    ...(gated ? { _OCI_STARTPIPE: String(START_FD), _OCI_ATTACHPIPE: String(ATTACH_FD) } : {}),
  };
}

/**
 * conmon waits for a byte before it does anything, says when its attach socket listens, and waits for another byte
 * before it runs the exec.
 */
async function openGate(request: LaunchRequest, stdio: readonly unknown[], sync: MessagePipe): Promise<void> {
  const start = asDuplex(stdio[START_FD]);
  start.on('error', () => undefined);
  using attach = new MessagePipe(asDuplex(stdio[ATTACH_FD]));
  try {
    start.write('1');
    // Without this message conmon failed, and the sync pipe (or its end) tells how.
    if ((await Promise.race([attach.next(), sync.peek()])) === undefined) return;
    await request.beforeStart?.();
    start.write('1');
  } finally {
    start.end();
  }
}

/** Lines of JSON from one of conmon's pipes, one at a time; undefined after the end. */
class MessagePipe implements Disposable {
  readonly #pipe: Duplex;
  readonly #parser: SyncMessageParser;
  readonly #messages: SyncMessage[];
  #ended: boolean;
  #wake: (() => void)[];

  constructor(pipe: Duplex) {
    this.#pipe = pipe;
    this.#parser = new SyncMessageParser();
    this.#messages = [];
    this.#ended = false;
    this.#wake = [];
    pipe.setEncoding('utf8');
    pipe.on('data', (chunk: string) => this.#arrived(this.#parser.push(chunk)));
    pipe.on('error', () => this.#end());
    pipe.on('close', () => this.#end());
    pipe.on('end', () => this.#end());
  }

  async next(): Promise<SyncMessage | undefined> {
    await this.#available();
    return this.#messages.shift();
  }

  async peek(): Promise<SyncMessage | undefined> {
    await this.#available();
    return this.#messages[0];
  }

  /** A process that runs for days must not keep this program from ending. */
  unref(): void {
    if ('unref' in this.#pipe && typeof this.#pipe.unref === 'function') this.#pipe.unref();
  }

  [Symbol.dispose](): void {
    this.#pipe.destroy();
  }

  async #available(): Promise<void> {
    while (this.#messages.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #arrived(messages: SyncMessage[]): void {
    this.#messages.push(...messages);
    this.#wakeAll();
  }

  #end(): void {
    this.#ended = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

function asDuplex(stream: unknown): Duplex {
  if (stream instanceof Duplex) return stream;
  throw new TypeError('conmon was started without its pipes');
}

async function collectText(stream: Readable | null): Promise<string> {
  if (stream === null) return '';
  let text = '';
  stream.setEncoding('utf8');
  try {
    for await (const chunk of stream) if (text.length < 8192) text += String(chunk);
  } catch {
    // A broken pipe ends the text; what came is what there is.
  }
  return text.trim();
}

/** The parent of the created process is its conmon, the nearest subreaper. Zero if the process is gone. */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  } catch {
    return 0;
  }
}
