import { errnoName, lastErrno, sysError } from '../errno.ts';
import { addressOf, nativeFunction, type Pointer } from '../native/koffi.ts';

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_TRUNC = 0x20;
/** `struct mmsghdr`: a `struct msghdr` (name, namelen, iov, iovlen, control, controllen, flags) and a length. */
const HEADER_BYTES = 64;
const NAME_LENGTH_OFFSET = 8;
const FLAGS_OFFSET = 48;
const LENGTH_OFFSET = 56;
/** `struct iovec`: address, length. */
const IOVEC_BYTES = 16;
/** `struct sockaddr_in` */
const NAME_BYTES = 16;
/** What says that a packet cannot go out now, or to this peer; it is lost, as datagrams may be. */
const LOST = new Set(['EAGAIN', 'ENOBUFS', 'ECONNREFUSED', 'EPERM', 'EINVAL', 'EHOSTUNREACH', 'ENETUNREACH']);

const cRecvmmsg = nativeFunction<[number, Pointer, number, number, null], number>('recvmmsg', 'int', [
  'int',
  'void *',
  'uint',
  'int',
  'void *',
]);
const cSendmmsg = nativeFunction<[number, Pointer, number, number], number>('sendmmsg', 'int', [
  'int',
  'void *',
  'uint',
  'int',
]);

export interface DatagramBatchOptions {
  /** How many at once. */
  packets: number;
  /** Longer ones are dropped when they come. */
  packetBytes: number;
}

/** Buffers for many packets that go through an IPv4 socket with one call. One batch serves any number of sockets, in turn. */
export interface DatagramBatch {
  /** Takes what has come, as far as there is room. Answers how many; each stays until the next call. */
  receive(fd: number): number;
  /** The packet's bytes, in place; empty for one that was too long. */
  packet(index: number): Buffer;
  /** Where a packet came from, as the kernel has it; a copy. */
  peer(index: number): Buffer;
  /** Where the next answer is to be written. */
  readonly answer: Buffer;
  /** Puts the first bytes of `answer` in the row of what `send` sends to the sender of a packet, or to a kept peer. */
  add(to: number | Buffer, lengthBytes: number): void;
  /** Sends the row. Packets that the kernel does not take now are lost. */
  send(fd: number): void;
}

class Side {
  readonly headers: Buffer;
  readonly names: Buffer;
  readonly slots: Buffer[];
  readonly lengths: DataView;
  readonly #iovecs: Buffer;

  constructor({ packets, packetBytes }: DatagramBatchOptions) {
    this.headers = Buffer.alloc(packets * HEADER_BYTES);
    this.names = Buffer.alloc(packets * NAME_BYTES);
    this.#iovecs = Buffer.alloc(packets * IOVEC_BYTES);
    const bytes = Buffer.alloc(packets * packetBytes);
    this.slots = [];
    for (let index = 0; index < packets; index++) {
      this.slots.push(bytes.subarray(index * packetBytes, (index + 1) * packetBytes));
      const iovec = index * IOVEC_BYTES;
      const header = index * HEADER_BYTES;
      this.#iovecs.writeBigUInt64LE(addressOf(bytes) + BigInt(index * packetBytes), iovec);
      this.#iovecs.writeBigUInt64LE(BigInt(packetBytes), iovec + 8);
      this.headers.writeBigUInt64LE(addressOf(this.names) + BigInt(index * NAME_BYTES), header);
      this.headers.writeUInt32LE(NAME_BYTES, header + NAME_LENGTH_OFFSET);
      this.headers.writeBigUInt64LE(addressOf(this.#iovecs) + BigInt(iovec), header + 16);
      this.headers.writeBigUInt64LE(1n, header + 24);
    }
    this.lengths = new DataView(this.headers.buffer, this.headers.byteOffset, this.headers.byteLength);
  }

  setLength(index: number, lengthBytes: number): void {
    this.#iovecs.writeUInt32LE(lengthBytes, index * IOVEC_BYTES + 8);
  }

  name(index: number): Buffer {
    return this.names.subarray(index * NAME_BYTES, (index + 1) * NAME_BYTES);
  }
}

const NOTHING = Buffer.alloc(0);

class LinuxDatagramBatch implements DatagramBatch {
  readonly #packets: number;
  readonly #in: Side;
  readonly #out: Side;
  #queued = 0;

  constructor(options: DatagramBatchOptions) {
    this.#packets = options.packets;
    this.#in = new Side(options);
    this.#out = new Side(options);
  }

  receive(fd: number): number {
    const count = cRecvmmsg(fd, this.#in.headers, this.#packets, MSG_DONTWAIT, null);
    if (count !== -1) return count;
    const errno = lastErrno();
    if (['EAGAIN', 'EINTR', 'ECONNREFUSED'].includes(errnoName(errno))) return 0;
    throw sysError(errno, 'recvmmsg', `fd ${fd}`);
  }

  packet(index: number): Buffer {
    const header = index * HEADER_BYTES;
    const { lengths, slots } = this.#in;
    if ((lengths.getUint32(header + FLAGS_OFFSET, true) & MSG_TRUNC) !== 0) return NOTHING;
    return slots[index]?.subarray(0, lengths.getUint32(header + LENGTH_OFFSET, true)) ?? NOTHING;
  }

  peer(index: number): Buffer {
    return Buffer.from(this.#in.name(index));
  }

  get answer(): Buffer {
    return this.#out.slots[this.#queued] ?? NOTHING;
  }

  add(to: number | Buffer, lengthBytes: number): void {
    const index = this.#queued++;
    this.#out.name(index).set(typeof to === 'number' ? this.#in.name(to) : to);
    this.#out.setLength(index, lengthBytes);
  }

  send(fd: number): void {
    const count = this.#queued;
    this.#queued = 0;
    let sent = 0;
    while (sent < count) {
      const done = cSendmmsg(
        fd,
        this.#out.headers.subarray(sent * HEADER_BYTES),
        count - sent,
        MSG_DONTWAIT | MSG_NOSIGNAL,
      );
      if (done === -1) {
        const errno = lastErrno();
        if (!LOST.has(errnoName(errno))) throw sysError(errno, 'sendmmsg', `fd ${fd}`);
      }
      sent += Math.max(done, 1);
    }
  }
}

/** Makes the buffers; they go when nobody holds the batch. */
export function createDatagramBatch(options: DatagramBatchOptions): DatagramBatch {
  return new LinuxDatagramBatch(options);
}
