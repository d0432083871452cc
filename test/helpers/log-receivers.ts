import { once } from 'node:events';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { createLinuxSys } from '#sys';

/** Somebody whom log drivers send to; keeps what comes. */
export interface LogReceiver {
  /** As log options name it. */
  readonly address: string;
  /** What came so far: packets one by one, streams in pieces. */
  readonly received: readonly Buffer[];
  /** Listens no more and hangs up. */
  stop(): Promise<void>;
  /** Listens again, at the same address. */
  start(): Promise<void>;
}

export function textReceived(receiver: LogReceiver): string {
  return Buffer.concat(receiver.received).toString();
}

/** A UDP port of the loopback. */
export async function udpReceiver(): Promise<LogReceiver> {
  const received: Buffer[] = [];
  let socket: UdpSocket | undefined;
  let port = 0;
  const start = async (): Promise<void> => {
    socket = createSocket({ type: 'udp4', recvBufferSize: 8 << 20 });
    socket.on('message', (packet) => received.push(packet));
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    ({ port } = socket.address());
  };
  await start();
  return {
    address: `udp://127.0.0.1:${port}`,
    received,
    start,
    stop: async () => {
      const closed = socket && once(socket, 'close');
      socket?.close();
      socket = undefined;
      await closed;
    },
  };
}

export interface StreamReceiverOptions {
  /** Certificate and key; speaks TLS with them. */
  tls?: { cert: string; key: string };
  /** A socket file in place of a port. */
  path?: string;
  onData?: (data: Buffer, socket: Socket) => void;
}

/** A TCP port of the loopback, or a unix socket. */
export async function streamReceiver({ tls, path, onData }: StreamReceiverOptions = {}): Promise<LogReceiver> {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  const start = async (): Promise<void> => {
    const serve = (socket: Socket): void => {
      sockets.add(socket);
      socket.on('data', (data) => {
        received.push(data);
        onData?.(data, socket);
      });
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    };
    server = tls ? createTlsServer(tls, serve) : createServer(serve);
    server.on('tlsClientError', () => undefined);
    if (path === undefined) server.listen(port, '127.0.0.1');
    else server.listen(path);
    await once(server, 'listening');
    const bound = server.address();
    if (typeof bound === 'object' && bound !== null) ({ port } = bound);
  };
  await start();
  const scheme = path === undefined ? (tls ? 'tcp+tls' : 'tcp') : 'unix';
  return {
    address: path === undefined ? `${scheme}://127.0.0.1:${port}` : `unix://${path}`,
    received,
    start,
    stop: async () => {
      const closed = server && once(server, 'close');
      server?.close();
      for (const socket of sockets) socket.destroy();
      server = undefined;
      await closed;
    },
  };
}

/** A datagram socket of this host; a packet that is a file in memory counts as its content. */
export function unixgramReceiver(path: string): LogReceiver {
  const { sockets, files } = createLinuxSys();
  const received: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  let fd: number | undefined;
  const receive = (): void => {
    const into = Buffer.alloc(1 << 20);
    for (;;) {
      const packet = fd === undefined ? undefined : sockets.receiveWithFds(fd, into, 1);
      if (!packet) return;
      const [file] = packet.fds;
      if (file === undefined) received.push(Buffer.from(into.subarray(0, packet.bytes)));
      else {
        received.push(readFileSync(`/proc/self/fd/${file}`));
        closeSync(file);
      }
    }
  };
  const start = (): Promise<void> => {
    rmSync(path, { force: true });
    fd = sockets.bindDatagram(path);
    timer = setInterval(receive, 2);
    return Promise.resolve();
  };
  void start();
  return {
    address: `unixgram://${path}`,
    received,
    start,
    stop: () => {
      clearInterval(timer);
      receive();
      if (fd !== undefined) files.closeFd(fd);
      fd = undefined;
      return Promise.resolve();
    },
  };
}
