import { check } from '../errno.ts';
import { closeFd } from '../native/close.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { ipToBytes } from '../netlink/addresses-text.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK = { stream: 1, datagram: 2 } as const;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
/** `struct sockaddr_in` */
const ADDRESS_BYTES = 16;

const cSocket = nativeFunction<[number, number, number], number>('socket', 'int', ['int', 'int', 'int']);
const cBind = nativeFunction<[number, Pointer, number], number>('bind', 'int', ['int', 'const void *', 'uint']);
const cListen = nativeFunction<[number, number], number>('listen', 'int', ['int', 'int']);
const cGetsockname = nativeFunction<[number, Pointer, Pointer], number>('getsockname', 'int', [
  'int',
  'void *',
  'void *',
]);

export type InetKind = keyof typeof SOCK;

/** `struct sockaddr_in` */
function encodeIpv4Address(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(ADDRESS_BYTES);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ipToBytes(address), 4);
  return bytes;
}

/** A non-blocking socket in this thread's network namespace, neither bound nor connected. The caller closes it. */
export function openInet(kind: InetKind, family: 4 | 6): number {
  const type = SOCK[kind] | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return check(cSocket(family === 4 ? AF_INET : AF_INET6, type, 0), 'socket', kind);
}

/**
 * A socket of this thread's network namespace at an IPv4 address; one for streams listens. The caller closes it.
 *
 * @param port - 0 lets the kernel choose.
 */
export function bindInet(kind: InetKind, address: string, port: number): { fd: number; port: number } {
  const fd = openInet(kind, 4);
  try {
    const name = encodeIpv4Address(address, port);
    check(cBind(fd, name, name.length), 'bind', `${address}:${port}`);
    if (kind === 'stream') check(cListen(fd, 128), 'listen', `${address}:${port}`);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(ADDRESS_BYTES);
    check(cGetsockname(fd, name, length), 'getsockname', `fd ${fd}`);
    return { fd, port: name.readUInt16BE(2) };
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}
