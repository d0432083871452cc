import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { isIPv6, Socket } from 'node:net';
import type { Sys } from '#sys';
import type { Upstream } from './upstreams.ts';
import { HEADER_BYTES } from './message.ts';

/** How one question to one server ended; undefined when the server cannot be asked, or said something else. */
export type Settle = (reply: Buffer | undefined) => void;

export interface ExchangeRequest {
  sys: Pick<Sys, 'sockets' | 'namespaces' | 'files'>;
  upstream: Upstream;
  /** Of the container, for servers that are asked from there. */
  netnsPath: string;
  packet: Buffer;
  /** Whether a message answers the question. */
  accepts(reply: Buffer): boolean;
}

/** Ends an exchange; nothing is told after it. Repeatable. */
export type Cancel = () => void;

const FRAME_BYTES = 2;

/** A fd of the container's namespace; the host's sockets are made by Node. */
function socketInside({ sys, upstream, netnsPath }: ExchangeRequest, kind: 'stream' | 'datagram'): number | undefined {
  if (upstream.from === 'host') return undefined;
  const family = isIPv6(upstream.address) ? 6 : 4;
  return sys.namespaces.withNetns(netnsPath, () => sys.sockets.openInet(kind, family));
}

/**
 * Asks over UDP, from a port of its own that the kernel chooses. The socket is connected: nobody else's datagrams come in,
 * and a server that is not there is known at once.
 */
export function exchangeUdp(request: ExchangeRequest, settle: Settle): Cancel {
  const { upstream, packet } = request;
  const fd = socketInside(request, 'datagram');
  const socket: DatagramSocket = createSocket(isIPv6(upstream.address) ? 'udp6' : 'udp4');
  let open = true;
  const cancel = (): void => {
    if (open) socket.close();
    open = false;
  };
  const end = (reply: Buffer | undefined): void => {
    if (!open) return;
    cancel();
    settle(reply);
  };
  socket.on('error', () => end(undefined));
  socket.on('message', (reply) => {
    if (request.accepts(reply)) end(reply);
  });
  const connect = (): void => {
    if (!open) return;
    socket.connect(upstream.port, upstream.address, () => {
      // A callback, so that a refusal comes here and not as an error of nobody's.
      if (open) socket.send(packet, (error) => error && end(undefined));
    });
  };
  if (fd === undefined) connect();
  else socket.bind({ fd }, connect);
  return cancel;
}

/** Asks over TCP. */
export function exchangeTcp(request: ExchangeRequest, settle: Settle): Cancel {
  const { upstream, packet } = request;
  const fd = socketInside(request, 'stream');
  const socket = fd === undefined ? new Socket() : new Socket({ fd });
  let received: Buffer = Buffer.alloc(0);
  let open = true;
  const cancel = (): void => {
    open = false;
    socket.destroy();
  };
  const end = (reply: Buffer | undefined): void => {
    if (!open) return;
    cancel();
    settle(reply);
  };
  socket.on('error', () => end(undefined));
  socket.on('close', () => end(undefined));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    const reply = firstFrame(received);
    if (reply !== undefined) end(request.accepts(reply) ? reply : undefined);
  });
  socket.connect(upstream.port, upstream.address, () => socket.write(frame(packet)));
  return cancel;
}

/** A message as TCP carries it: its length before it. */
export function frame(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_BYTES + message.length);
  bytes.writeUInt16BE(message.length, 0);
  bytes.set(message, FRAME_BYTES);
  return bytes;
}

/** The first whole message in what came, if there is one yet. */
export function firstFrame(received: Buffer): Buffer | undefined {
  if (received.length < FRAME_BYTES + HEADER_BYTES) return undefined;
  const end = FRAME_BYTES + received.readUInt16BE(0);
  return received.length < end ? undefined : received.subarray(FRAME_BYTES, end);
}
