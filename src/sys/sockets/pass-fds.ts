import { sysError } from '../errno.ts';
import { closeFd } from '../native/close.ts';
import { addressOf, nativeFunction, type Pointer } from '../native/koffi.ts';
import { words64 } from '../native/struct.ts';
import { checkTransfer } from './seqpacket.ts';

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_CTRUNC = 8;
const EMSGSIZE = 90;

/** `struct cmsghdr`: length (8 bytes), level, type. */
const CMSG_HEADER = 16;
/** `struct msghdr`: name, namelen, iov, iovlen, control, controllen, flags, padded to 56 bytes. */
const CONTROL_LENGTH_OFFSET = 40;
const FLAGS_OFFSET = 48;

const cSendmsg = nativeFunction<[number, Pointer, number], number>('sendmsg', 'long', ['int', 'const void *', 'int']);
const cRecvmsg = nativeFunction<[number, Pointer, number], number>('recvmsg', 'long', ['int', 'void *', 'int']);

function messageHeader(iovec: Buffer, control: Buffer): Buffer {
  return words64(0, 0, addressOf(iovec), 1, addressOf(control), control.length, 0);
}

/** Encodes fds as one SCM_RIGHTS control message, padded to 8 bytes. */
export function encodeRights(fds: readonly number[]): Buffer {
  const length = CMSG_HEADER + fds.length * 4;
  const control = Buffer.alloc((length + 7) & ~7);
  control.writeBigUInt64LE(BigInt(length), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  for (const [index, fd] of fds.entries()) control.writeInt32LE(fd, CMSG_HEADER + index * 4);
  return control;
}

/** The fds in received control messages. */
export function decodeRights(control: Buffer): number[] {
  const fds: number[] = [];
  let offset = 0;
  while (offset + CMSG_HEADER <= control.length) {
    const length = Number(control.readBigUInt64LE(offset));
    if (length < CMSG_HEADER || offset + length > control.length) break;
    if (control.readInt32LE(offset + 8) === SOL_SOCKET && control.readInt32LE(offset + 12) === SCM_RIGHTS) {
      for (let at = offset + CMSG_HEADER; at + 4 <= offset + length; at += 4) fds.push(control.readInt32LE(at));
    }
    offset += (length + 7) & ~7;
  }
  return fds;
}

/**
 * Sends `data` (at least one byte, except in a datagram) with open fds over any AF_UNIX socket; the receiver gets its own copies.
 *
 * @returns bytes sent, or undefined when the receiver's buffer is full.
 */
export function sendWithFds(fd: number, data: Uint8Array, fds: readonly number[]): number | undefined {
  const control = encodeRights(fds);
  const iovec = words64(addressOf(data), data.byteLength);
  return checkTransfer(cSendmsg(fd, messageHeader(iovec, control), MSG_NOSIGNAL), 'sendmsg', fd);
}

export interface ReceivedWithFds {
  bytes: number;
  /** Close-on-exec; the caller closes them. */
  fds: number[];
}

/**
 * Receives into `into` together with up to `maxFds` fds; undefined when nothing has come yet.
 *
 * @throws {@link EngineError} internal when more fds came; those that fitted are closed.
 */
export function receiveWithFds(fd: number, into: Uint8Array, maxFds: number): ReceivedWithFds | undefined {
  const control = Buffer.alloc(CMSG_HEADER + ((maxFds * 4 + 7) & ~7));
  const iovec = words64(addressOf(into), into.byteLength);
  const header = messageHeader(iovec, control);
  const bytes = checkTransfer(cRecvmsg(fd, header, MSG_CMSG_CLOEXEC), 'recvmsg', fd);
  if (bytes === undefined) return undefined;
  const controlLength = Number(header.readBigUInt64LE(CONTROL_LENGTH_OFFSET));
  const fds = decodeRights(control.subarray(0, controlLength));
  if ((header.readUInt32LE(FLAGS_OFFSET) & MSG_CTRUNC) !== 0 || fds.length > maxFds) {
    for (const received of fds) closeFd(received);
    throw sysError(EMSGSIZE, 'recvmsg', `fd ${fd}:`, `more than ${maxFds} file descriptors`);
  }
  return { bytes, fds };
}
