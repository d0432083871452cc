import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { decode, type DecodedPacket, encode, type Question, RECURSION_DESIRED } from 'dns-packet';
import { createLinuxSys } from '#sys';
import { until, within } from './until.ts';

const server = '127.0.0.11';
const sys = createLinuxSys();

export interface AskOptions {
  /** Speak EDNS, and take answers of so many bytes. */
  edns?: number;
  id?: number;
}

/** What programs in a container hear from its resolver: asks from a socket in the namespace of a process there. */
export class DnsClient {
  readonly #netns: string;

  /** @param netns - a process in the namespace, or the namespace's file. */
  constructor(netns: number | string) {
    this.#netns = typeof netns === 'string' ? netns : `/proc/${netns}/ns/net`;
  }

  #open(kind: 'datagram' | 'stream'): number {
    return sys.namespaces.withNetns(this.#netns, () => sys.sockets.openInet(kind, 4));
  }

  /** Sends bytes as they are, again every three seconds as resolvers do, and hands back what comes. */
  async exchange(packet: Buffer): Promise<Buffer> {
    const socket = createSocket('udp4');
    const send = (): void => socket.send(packet, 53, server);
    let again: NodeJS.Timeout | undefined;
    try {
      const answer = new Promise<Buffer>((resolve, reject) => socket.on('error', reject).on('message', resolve));
      socket.bind({ fd: this.#open('datagram') }, send);
      again = setInterval(send, 3000);
      return await within(answer, 'an answer of the resolver', 10_000);
    } finally {
      clearInterval(again);
      socket.close();
    }
  }

  /** Sends many from one socket, again and again until one has the wanted answer; once if none is wanted. */
  async send(packets: readonly Buffer[], wanted?: (reply: Buffer) => boolean): Promise<void> {
    const socket = createSocket('udp4');
    try {
      let found = wanted === undefined;
      socket.on('message', (reply) => {
        found ||= wanted?.(reply) === true;
      });
      const listening = once(socket, 'listening');
      socket.bind({ fd: this.#open('datagram') });
      await listening;
      const round = async (): Promise<boolean> => {
        for (const packet of packets) await new Promise((resolve) => socket.send(packet, 53, server, resolve));
        return found;
      };
      await until(round, { what: 'an answer that was wanted', intervalMs: 100 });
    } finally {
      socket.close();
    }
  }

  async ask(name: string, type: Question['type'] = 'A', options: AskOptions = {}): Promise<Reply> {
    const reply = read(await this.exchange(query(name, type, options)));
    assert.equal(reply.id, options.id ?? 4711);
    return reply;
  }

  /** Over TCP, all in one go; the answers in the order of the questions. */
  async askTcp(...questions: [name: string, type?: Question['type']][]): Promise<Reply[]> {
    const socket = new Socket({ fd: this.#open('stream') });
    try {
      const frames = questions.map(([name, type = 'A'], id) => frame(query(name, type, { id })));
      socket.connect(53, server, () => socket.write(Buffer.concat(frames)));
      return await within(collect(socket, questions.length), 'answers over TCP', 10_000);
    } finally {
      socket.destroy();
    }
  }

  /** Listens on a port of all addresses in there, over UDP and TCP, as a program there would. */
  takePort(port: number): Disposable {
    const stack = new DisposableStack();
    sys.namespaces.withNetns(this.#netns, () => {
      for (const kind of ['datagram', 'stream'] as const) {
        const { fd } = sys.sockets.bindInet(kind, '0.0.0.0', port);
        stack.defer(() => closeSync(fd));
      }
    });
    return stack;
  }

  /** The addresses of a name, sorted; none when there are none. */
  async addresses(name: string): Promise<string[]> {
    const { answers = [] } = await this.ask(name);
    return answers.flatMap((answer) => (answer.type === 'A' ? [answer.data] : [])).toSorted();
  }
}

/** An answer; the types of dns-packet leave two fields out. */
export interface Reply extends DecodedPacket {
  rcode: string;
  flag_tc: boolean;
}

function read(message: Buffer): Reply {
  const decoded = decode(message);
  assert.ok('rcode' in decoded && typeof decoded.rcode === 'string' && 'flag_tc' in decoded);
  return { ...decoded, rcode: decoded.rcode, flag_tc: decoded.flag_tc === true };
}

export function query(name: string, type: Question['type'], { edns, id = 4711 }: AskOptions = {}): Buffer {
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type, name }],
    ...(edns === undefined
      ? {}
      : { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: edns, flags: 0, options: [] } as never] }),
  });
}

export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

async function collect(socket: Socket, count: number): Promise<Reply[]> {
  const replies: Reply[] = [];
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      replies.push(read(received.subarray(2, end)));
      received = received.subarray(end);
    }
    if (replies.length >= count) break;
  }
  return replies.toSorted((a, b) => (a.id ?? 0) - (b.id ?? 0));
}
