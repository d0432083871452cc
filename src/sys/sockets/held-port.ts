import { isIPv6 } from 'node:net';
import { check } from '../errno.ts';
import { closeFd } from '../native/close.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { ipToBytes } from '../netlink/addresses-text.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
/** Cut down by the kernel to net.core.somaxconn. */
const LONGEST_BACKLOG = 65535;

/** A transport protocol with ports. */
export type PortedProtocol = 'tcp' | 'udp' | 'sctp';

const protocols: Readonly<Record<PortedProtocol, { type: number; number: number }>> = {
  tcp: { type: SOCK_STREAM, number: 6 },
  udp: { type: SOCK_DGRAM, number: 17 },
  sctp: { type: SOCK_STREAM, number: 132 },
};

/** Where a socket is bound. */
export interface HeldPort {
  protocol: PortedProtocol;
  /** Of either family; IPv6 addresses are bound for IPv6 alone. */
  address: string;
  port: number;
}

const cSocket = nativeFunction<[number, number, number], number>('socket', 'int', ['int', 'int', 'int']);
const cBind = nativeFunction<[number, Pointer, number], number>('bind', 'int', ['int', 'const void *', 'uint']);
const cListen = nativeFunction<[number, number], number>('listen', 'int', ['int', 'int']);
const cSetsockopt = nativeFunction<[number, number, number, Pointer, number], number>('setsockopt', 'int', [
  'int',
  'int',
  'int',
  'const void *',
  'uint',
]);

/** `struct sockaddr_in` or `sockaddr_in6` */
export function encodeAddress({ address, port }: Pick<HeldPort, 'address' | 'port'>): Buffer {
  const six = isIPv6(address);
  const bytes = Buffer.alloc(six ? 28 : 16);
  bytes.writeUInt16LE(six ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  ipToBytes(address).copy(bytes, six ? 8 : 4);
  return bytes;
}

function switchOn(fd: number, level: number, option: number, subject: string): void {
  const on = Buffer.from([1, 0, 0, 0]);
  check(cSetsockopt(fd, level, option, on, on.length), 'setsockopt', subject);
}

/**
 * Takes a port of this host. TCP shares it with connections that are just ending, but with nobody who listens, once
 * {@link listenAtPort} has been called.
 *
 * @returns a non-blocking socket; the caller closes it.
 * @throws {@link EngineError} with the errno: EADDRINUSE, EADDRNOTAVAIL, EPROTONOSUPPORT where the kernel lacks SCTP.
 */
export function holdPort(where: HeldPort): number {
  const { protocol, address, port } = where;
  const { type, number } = protocols[protocol];
  const subject = `${address} ${port}/${protocol}`;
  const six = isIPv6(address);
  const family = six ? AF_INET6 : AF_INET;
  const fd = check(cSocket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, number), 'socket', subject);
  try {
    if (protocol === 'tcp') switchOn(fd, SOL_SOCKET, SO_REUSEADDR, subject);
    if (six) switchOn(fd, IPPROTO_IPV6, IPV6_V6ONLY, subject);
    const encoded = encodeAddress(where);
    check(cBind(fd, encoded, encoded.length), 'bind', subject);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** Lets connections come in to a bound socket of TCP or SCTP. @throws as {@link holdPort}. */
export function listenAtPort(fd: number): void {
  check(cListen(fd, LONGEST_BACKLOG), 'listen', `fd ${fd}`);
}
