import { EngineError } from '#errors';
import { check, errnoKind, errnoName, lastErrnoName, sysError } from '../errno.ts';
import { closeFd } from '../native/close.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { cRecv, cSend } from '../native/socket-calls.ts';
import {
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  MESSAGE_HEADER_SIZE,
  type NetlinkMessage,
  NLM_F,
  NLMSG,
  readText,
} from './codec.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const NLMSGERR_ATTR_MSG = 1;
/** The kernel never makes a datagram of a dump larger than this. */
const RECEIVE_BUFFER_BYTES = 32768;
/** What every socket may send without asking for more (net.core.wmem_default is larger everywhere). */
const DEFAULT_SEND_BUFFER_BYTES = 65536;
/** A dump that something changed under is asked for again, so often at most. */
const MAX_DUMP_ATTEMPTS = 5;

const cSocket = nativeFunction<[number, number, number], number>('socket', 'int', ['int', 'int', 'int']);
const cSetsockopt = nativeFunction<[number, number, number, Pointer, number], number>('setsockopt', 'int', [
  'int',
  'int',
  'int',
  'const void *',
  'uint',
]);

/** The protocols that are spoken here. */
export const NETLINK = { ROUTE: 0, NETFILTER: 12 } as const;

/** What a request is about, for the error's text. */
export interface RequestDescription {
  action: string;
  subject: string;
}

/** An error message repeats the request, or just its header; the end of a dump repeats nothing. */
function quotedRequestLength(message: NetlinkMessage): number {
  if (message.type === NLMSG.DONE) return 0;
  if ((message.flags & NLM_F.CAPPED) !== 0) return MESSAGE_HEADER_SIZE;
  return (message.body.readUInt32LE(4) + 3) & ~3;
}

/** The errno in an error message (0 for an acknowledgement) and the kernel's own words, if any. */
export function decodeAck(message: NetlinkMessage): { errno: number; text: string | undefined } {
  const errno = 0 - message.body.readInt32LE(0);
  if ((message.flags & NLM_F.ACK_TLVS) === 0) return { errno, text: undefined };
  const attributes = decodeAttributes(message.body.subarray(4 + quotedRequestLength(message)));
  return { errno, text: readText(attributes.get(NLMSGERR_ATTR_MSG)) };
}

/** The error for a refused request. */
export function netlinkError(errno: number, text: string | undefined, request: RequestDescription): EngineError {
  const plain = sysError(errno, request.action, request.subject);
  if (text === undefined) return plain;
  return new EngineError(errnoKind(errno), plain.code, `${plain.message} (${text})`, {
    details: { errno: errnoName(errno), call: request.action, kernelMessage: text },
  });
}

/** One message of a transaction. */
export interface TransactionMessage extends Omit<NetlinkMessage, 'sequence'> {
  describe: () => RequestDescription;
}

/** One netlink socket: requests go out one at a time, and the kernel answers before `send` returns. */
export class NetlinkTransport implements Disposable {
  readonly #buffer = Buffer.allocUnsafeSlow(RECEIVE_BUFFER_BYTES);
  #fd: number | undefined;
  #sequence = 0;
  #sendBufferBytes = DEFAULT_SEND_BUFFER_BYTES;

  constructor(protocol: (typeof NETLINK)[keyof typeof NETLINK] = NETLINK.ROUTE) {
    this.#fd = check(cSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 'socket', `netlink ${protocol}`);
    const on = Buffer.from([1, 0, 0, 0]);
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
      cSetsockopt(this.#fd, SOL_NETLINK, option, on, on.length);
    }
  }

  /** Sends a request and waits for the acknowledgement. */
  request(type: number, flags: number, body: Buffer, description: RequestDescription): void {
    this.#send(type, flags | NLM_F.REQUEST | NLM_F.ACK, body, description);
    this.#receive(description);
  }

  /** Sends a request for one thing and answers the body of what came. */
  query(type: number, body: Buffer, description: RequestDescription): Buffer | undefined {
    this.#send(type, NLM_F.REQUEST | NLM_F.ACK, body, description);
    return this.#receive(description).bodies[0];
  }

  /** Sends a request for all of something and answers their bodies. */
  dump(type: number, body: Buffer, description: RequestDescription): Buffer[] {
    for (let attempt = 1; ; attempt++) {
      this.#send(type, NLM_F.REQUEST | NLM_F.DUMP, body, description);
      const { bodies, interrupted } = this.#receive(description);
      if (!interrupted || attempt === MAX_DUMP_ATTEMPTS) return bodies;
    }
  }

  /**
   * Sends messages between two that begin and end a batch (nfnetlink), all of which the kernel carries out before `send`
   * returns, or none. It answers each that it refuses, and the last one in any case, which is asked to be acknowledged.
   */
  transaction(
    begin: Omit<NetlinkMessage, 'sequence'>,
    messages: readonly TransactionMessage[],
    end: Omit<NetlinkMessage, 'sequence'>,
    description: RequestDescription,
  ): void {
    const first = this.#sequence + 1;
    this.#sequence = first + messages.length + 1;
    const encoded = [begin, ...messages, end].map(({ type, flags, body }, index) => {
      const asked = index === messages.length ? NLM_F.ACK : 0;
      return encodeMessage({ type, flags: flags | NLM_F.REQUEST | asked, sequence: first + index, body });
    });
    const datagram = Buffer.concat(encoded);
    this.#growSendBuffer(datagram.length);
    check(cSend(this.#openFd(), datagram, datagram.length, 0), 'send', description.action, description.subject);
    const refused = this.#receiveAcks(first + messages.length, first, description);
    if (refused === undefined) return;
    throw netlinkError(refused.errno, refused.text, messages[refused.index - 1]?.describe() ?? description);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeFd(this.#fd);
    this.#fd = undefined;
  }

  #openFd(): number {
    if (this.#fd === undefined) throw new EngineError('internal', 'SYS_NETLINK_CLOSED', 'netlink socket is closed');
    return this.#fd;
  }

  #send(type: number, flags: number, body: Buffer, description: RequestDescription): void {
    this.#sequence = (this.#sequence + 1) >>> 0;
    const message = encodeMessage({ type, flags, sequence: this.#sequence, body });
    check(cSend(this.#openFd(), message, message.length, 0), 'send', description.action, description.subject);
  }

  /** Reads up to the end of the answer to the last request; what remains of an earlier one is passed over. */
  #receive(description: RequestDescription): { bodies: Buffer[]; interrupted: boolean } {
    const bodies: Buffer[] = [];
    let interrupted = false;
    for (;;) {
      const length = check(cRecv(this.#openFd(), this.#buffer, this.#buffer.length, 0), 'recv', description.action);
      for (const message of decodeMessages(this.#buffer.subarray(0, length))) {
        if (message.sequence !== this.#sequence) continue;
        interrupted ||= (message.flags & NLM_F.DUMP_INTERRUPTED) !== 0;
        if (message.type === NLMSG.ERROR || message.type === NLMSG.DONE) {
          const { errno, text } = decodeAck(message);
          if (errno > 0) throw netlinkError(errno, text, description);
          return { bodies, interrupted };
        }
        bodies.push(Buffer.from(message.body));
      }
    }
  }

  /** A datagram that the socket's buffer cannot hold is refused; the limit for others does not bind who may set networks up. */
  #growSendBuffer(lengthBytes: number): void {
    const wanted = lengthBytes * 2;
    if (wanted <= this.#sendBufferBytes) return;
    const value = Buffer.alloc(4);
    value.writeInt32LE(wanted);
    check(cSetsockopt(this.#openFd(), SOL_SOCKET, SO_SNDBUFFORCE, value, value.length), 'setsockopt', 'SO_SNDBUFFORCE');
    this.#sendBufferBytes = wanted;
  }

  /** Reads all answers, which are there by now; the first refusal of a transaction, by its message's place. */
  #receiveAcks(
    last: number,
    first: number,
    description: RequestDescription,
  ): { index: number; errno: number; text: string | undefined } | undefined {
    let acknowledged = false;
    for (;;) {
      const length = cRecv(this.#openFd(), this.#buffer, this.#buffer.length, MSG_DONTWAIT);
      if (length === -1 && acknowledged && lastErrnoName() === 'EAGAIN') return undefined;
      check(length, 'recv', description.action);
      for (const message of decodeMessages(this.#buffer.subarray(0, length))) {
        const index = message.sequence - first;
        if (message.type !== NLMSG.ERROR || index < 0 || message.sequence > last) continue;
        const { errno, text } = decodeAck(message);
        if (errno > 0) return { index, errno, text };
        acknowledged = true;
      }
    }
  }
}
