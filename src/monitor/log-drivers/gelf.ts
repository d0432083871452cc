import { randomBytes } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import type { LogDestination, LogDriver, LogDriverHost, LogInfo, LogMessage, LogOptions } from './contract.ts';
import { UdpConnection } from './datagram-connection.ts';
import { invalidOption } from './errors.ts';
import { type LogAddress, parseAddress } from './options.ts';
import { StreamConnection } from './stream-connection.ts';

const INFO = 6;
const ERROR = 3;
/** A packet, and what of it is data when a message takes several. */
const PACKET_BYTES = 1420;
const CHUNK_BYTES = 1408;
const MAX_CHUNKS = 128;
const CHUNK_MAGIC = Buffer.from([0x1e, 0x0f]);

/** Lines as JSON, by UDP in pieces or by TCP with a zero after each; see Graylog's GELF 1.1. */
export const gelf: LogDriver = {
  options: [
    'gelf-address',
    'gelf-compression-level',
    'gelf-compression-type',
    'gelf-tcp-max-reconnect',
    'gelf-tcp-reconnect-delay',
  ],
  check(options) {
    const { scheme } = parseGelfAddress(options['gelf-address'] ?? '');
    for (const [name, value] of Object.entries(options)) checkOption(name, value, scheme);
  },
  retryMs: (options) => Math.max(1, Number(options['gelf-tcp-reconnect-delay'] ?? 1)) * 1000,
  open: openGelf,
};

function openGelf(options: LogOptions, info: LogInfo, host: LogDriverHost): LogDestination {
  const { scheme, host: name, port } = parseGelfAddress(options['gelf-address'] ?? '');
  const encode = gelfEncoder(info);
  const texts = (messages: readonly LogMessage[]): Buffer[] =>
    // As in dockerd, an empty line is none.
    messages.filter(({ data }) => data.length > 0).map((message) => Buffer.from(encode(message)));
  if (scheme === 'tcp') {
    const connection = new StreamConnection({ kind: 'tcp', host: name, port }, host.sockets);
    const end = Buffer.from([0]);
    return {
      deliver: async (messages) => {
        const bytes = Buffer.concat(texts(messages).flatMap((text) => [text, end]));
        if (bytes.length > 0) await connection.send(bytes);
      },
      close: () => connection.close(),
    };
  }
  const connection = new UdpConnection(name, port);
  const compress = compressor(options);
  return {
    deliver: async (messages) => {
      const packets = texts(messages).flatMap((text) => chunks(compress(text), randomBytes(8)));
      if (packets.length > 0) await connection.send(packets);
    },
    close: () => connection.close(),
  };
}

/** A message's text, members in dockerd's order. */
export function gelfEncoder(info: LogInfo): (message: LogMessage) => string {
  const extra: Record<string, string> = {
    _container_id: info.containerId,
    _container_name: info.containerName,
    _image_id: info.imageId,
    _image_name: info.imageName,
    _command: info.command,
    _tag: info.tag,
    _created: info.created,
  };
  for (const [name, value] of Object.entries(info.attributes)) extra[name.startsWith('_') ? name : `_${name}`] = value;
  const sorted = Object.fromEntries(Object.entries(extra).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return ({ stream, time, data }) =>
    JSON.stringify({
      version: '1.1',
      host: info.hostname,
      short_message: data.toString('utf8'),
      timestamp: Number(time / 1_000_000n) / 1000,
      level: stream === 'stderr' ? ERROR : INFO,
      ...sorted,
    });
}

/** The packets of a message: itself, or numbered chunks. None for one that takes too many, as in dockerd. */
export function chunks(message: Buffer, id: Buffer): Buffer[] {
  if (message.length <= PACKET_BYTES) return [message];
  const count = Math.ceil(message.length / CHUNK_BYTES);
  if (count > MAX_CHUNKS) return [];
  return Array.from({ length: count }, (_none, index) =>
    Buffer.concat([
      CHUNK_MAGIC,
      id,
      Buffer.from([index, count]),
      message.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
    ]),
  );
}

function compressor(options: LogOptions): (text: Buffer) => Buffer {
  const level = Number(options['gelf-compression-level'] ?? 1);
  switch (options['gelf-compression-type']) {
    case 'none':
      return (text) => text;
    case 'zlib':
      return (text) => deflateSync(text, { level });
    default:
      return (text) => gzipSync(text, { level });
  }
}

function parseGelfAddress(text: string): Pick<LogAddress, 'scheme' | 'host'> & { port: number } {
  if (text === '') throw invalidOption('gelf-address is a required parameter');
  const { scheme, host, port } = parseAddress(text);
  if (scheme !== 'udp' && scheme !== 'tcp') throw invalidOption('gelf: endpoint needs to be TCP or UDP');
  if (port === undefined) throw invalidOption('gelf: please provide gelf-address as proto://host:port');
  return { scheme, host: host === '' ? 'localhost' : host, port };
}

function checkOption(name: string, value: string, scheme: string): void {
  const unknown = `unknown value ${JSON.stringify(value)} for log opt ${JSON.stringify(name)} for gelf log driver`;
  if (name.startsWith('gelf-compression-')) {
    if (scheme !== 'udp') throw invalidOption('compression is only supported on UDP');
    const known = name.endsWith('-level') ? /^(-1|\d)$/ : /^(gzip|zlib|none)$/;
    if (!known.test(value)) throw invalidOption(unknown);
  }
  if (name.startsWith('gelf-tcp-')) {
    if (scheme !== 'tcp') throw invalidOption(`${JSON.stringify(name)} is only valid for TCP`);
    if (!/^\d+$/.test(value)) throw invalidOption(`${JSON.stringify(name)} must be a positive integer`);
  }
}
