import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { TestContext } from 'node:test';
import {
  type Answer,
  decode,
  encode,
  type Question,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import { frame } from './dns-client.ts';

export const rcodes = { noError: 0, serverFailure: 2, nameError: 3, refused: 5 } as const;

export interface Said {
  answers?: Answer[];
  rcode?: number;
  truncated?: boolean;
  /** Changes the message before it is sent. */
  spoil?: (message: Buffer) => Buffer[];
}

/** What a server says to a question; undefined: nothing at all. */
export type Script = (question: Question, transport: 'udp' | 'tcp') => Said | undefined;

/** A DNS server for tests, at port 53 of an address of this host. */
export class DnsUpstream {
  /** What was asked, in order: `udp A example.com`. */
  readonly asked: string[] = [];
  readonly #script: Script;
  readonly #udp: DatagramSocket = createSocket('udp4');
  readonly #tcp: Server;

  private constructor(script: Script) {
    this.#script = script;
    this.#udp.on('message', (packet, peer) => {
      for (const reply of this.#reply(packet, 'udp')) this.#udp.send(reply, peer.port, peer.address);
    });
    this.#tcp = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        for (const reply of this.#reply(chunk.subarray(2), 'tcp')) socket.write(frame(reply));
      });
    });
  }

  /** Ends with the test. */
  static async start(t: TestContext, address: string, script: Script): Promise<DnsUpstream> {
    const upstream = new DnsUpstream(script);
    upstream.#udp.bind(53, address);
    upstream.#tcp.listen(53, address);
    t.after(() => {
      upstream.#udp.close();
      upstream.#tcp.close();
    });
    await Promise.all([once(upstream.#udp, 'listening'), once(upstream.#tcp, 'listening')]);
    return upstream;
  }

  #reply(packet: Buffer, transport: 'udp' | 'tcp'): Buffer[] {
    const { id, questions = [] } = decode(packet);
    const [question] = questions;
    if (question === undefined) return [];
    this.asked.push(`${transport} ${question.type} ${question.name}`);
    const said = this.#script(question, transport);
    if (said === undefined) return [];
    const { answers = [], rcode = 0, truncated = false, spoil = (message) => [message] } = said;
    const flags = RECURSION_DESIRED | RECURSION_AVAILABLE | rcode | (truncated ? TRUNCATED_RESPONSE : 0);
    return spoil(encode({ type: 'response', id: id ?? 0, flags, questions, answers }));
  }
}

/** An address for any name. */
export function address(question: Question, data: string): Answer {
  return { type: 'A', name: question.name, ttl: 30, data };
}
