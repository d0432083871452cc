import { check } from '../errno.ts';
import { closeFd } from '../native/close.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { AF_UNIX, withUnixAddress } from './address.ts';

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SIOCOUTQ = 0x5411;

const cSocket = nativeFunction<[number, number, number], number>('socket', 'int', ['int', 'int', 'int']);
const cConnect = nativeFunction<[number, Pointer, number], number>('connect', 'int', ['int', 'const void *', 'uint']);
const cBind = nativeFunction<[number, Pointer, number], number>('bind', 'int', ['int', 'const void *', 'uint']);
const cIoctl = nativeFunction<[number, number, Pointer], number>('ioctl', 'int', ['int', 'ulong', 'void *']);

/** Connects to a datagram socket at `path`, however long; its calls never wait. The caller closes the fd. */
export function connectDatagram(path: string): number {
  return openDatagram(path, (fd, address) => check(cConnect(fd, address, address.length), 'connect', path));
}

/** Takes datagrams at the new socket file `path`. The caller closes the fd and removes the file. */
export function bindDatagram(path: string): number {
  return openDatagram(path, (fd, address) => check(cBind(fd, address, address.length), 'bind', path));
}

function openDatagram(path: string, prepare: (fd: number, address: Buffer) => void): number {
  const fd = check(cSocket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), 'socket', 'AF_UNIX');
  try {
    withUnixAddress(path, (address) => prepare(fd, address));
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/**
 * Bytes sent on a socket that have not arrived: the other host has not acknowledged them (TCP), or the other process has
 * not read them (unix; with what the kernel needs around them). See tcp(7), SIOCOUTQ.
 */
export function unsentBytes(fd: number): number {
  const count = Buffer.alloc(4);
  check(cIoctl(fd, SIOCOUTQ, count), 'ioctl', `SIOCOUTQ of fd ${fd}`);
  return count.readInt32LE(0);
}
