import { check, lastErrno, errnoName, sysError } from '../errno.ts';
import { closeFd } from '../native/close.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { cRecv, cSend } from '../native/socket-calls.ts';
import { AF_UNIX, withUnixAddress } from './address.ts';

const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

const cSocket = nativeFunction<[number, number, number], number>('socket', 'int', ['int', 'int', 'int']);
const cConnect = nativeFunction<[number, Pointer, number], number>('connect', 'int', ['int', 'const void *', 'uint']);
const cBind = nativeFunction<[number, Pointer, number], number>('bind', 'int', ['int', 'const void *', 'uint']);
const cListen = nativeFunction<[number, number], number>('listen', 'int', ['int', 'int']);
const cAccept4 = nativeFunction<[number, null, null, number], number>('accept4', 'int', [
  'int',
  'void *',
  'void *',
  'int',
]);
const cShutdown = nativeFunction<[number, number], number>('shutdown', 'int', ['int', 'int']);
const cSocketpair = nativeFunction<[number, number, number, Pointer], number>('socketpair', 'int', [
  'int',
  'int',
  'int',
  'void *',
]);

export interface SocketOptions {
  /** Calls answer undefined instead of waiting. Default true, since waiting would stop the whole thread. */
  nonBlocking?: boolean;
}

function socketType(options: SocketOptions): number {
  return SOCK_SEQPACKET | SOCK_CLOEXEC | (options.nonBlocking === false ? 0 : SOCK_NONBLOCK);
}

function openSocket(options: SocketOptions, prepare: (fd: number) => void): number {
  const fd = check(cSocket(AF_UNIX, socketType(options), 0), 'socket', 'AF_UNIX');
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** The count of a send or receive, or undefined when it would have to wait. */
export function checkTransfer(result: number, call: string, fd: number): number | undefined {
  if (result !== -1) return result;
  const errno = lastErrno();
  if (errnoName(errno) === 'EAGAIN') return undefined;
  throw sysError(errno, call, `fd ${fd}`);
}

/** Connects to a `SOCK_SEQPACKET` socket at `path`, however long. The caller closes the fd (`files.closeFd`). */
export function connectSeqpacket(path: string, options: SocketOptions = {}): number {
  return openSocket(options, (fd) => {
    withUnixAddress(path, (address) => check(cConnect(fd, address, address.length), 'connect', path));
  });
}

/** Listens at the new socket file `path`. The caller closes the fd and removes the file. */
export function listenSeqpacket(path: string, options: SocketOptions & { backlog?: number } = {}): number {
  return openSocket(options, (fd) => {
    withUnixAddress(path, (address) => check(cBind(fd, address, address.length), 'bind', path));
    check(cListen(fd, options.backlog ?? 64), 'listen', path);
  });
}

/** Two connected sockets. The caller closes both. */
export function seqpacketPair(options: SocketOptions = {}): [number, number] {
  const fds = Buffer.alloc(8);
  check(cSocketpair(AF_UNIX, socketType(options), 0, fds), 'socketpair');
  return [fds.readInt32LE(0), fds.readInt32LE(4)];
}

/** The next connection; undefined when none waits. The caller closes it. */
export function accept(fd: number, options: SocketOptions = {}): number | undefined {
  return checkTransfer(cAccept4(fd, null, null, socketType(options) & ~SOCK_SEQPACKET), 'accept', fd);
}

/**
 * Sends one packet whole.
 *
 * @returns bytes sent, or undefined when the receiver's buffer is full.
 * @throws {@link EngineError} unavailable when the other end is gone (no signal is raised).
 */
export function send(fd: number, packet: Uint8Array): number | undefined {
  return checkTransfer(cSend(fd, packet, packet.byteLength, MSG_NOSIGNAL), 'send', fd);
}

/**
 * Receives one packet into `into`; what does not fit is lost.
 *
 * @returns its length, 0 when the other end closed (or for an empty packet), undefined when there is none yet.
 */
export function receive(fd: number, into: Uint8Array): number | undefined {
  return checkTransfer(cRecv(fd, into, into.byteLength, 0), 'recv', fd);
}

const directions = { read: 0, write: 1, both: 2 } as const;

/** Ends one or both directions of a connection. */
export function shutdown(fd: number, direction: 'read' | 'write' | 'both'): void {
  check(cShutdown(fd, directions[direction]), 'shutdown', `fd ${fd}`);
}
