import { existsSync } from 'node:fs';
import { formatRfc3339Nano, randomHex } from '#lib';
import type { LogDestination, LogDriver, LogDriverHost, LogInfo, LogMessage } from './contract.ts';
import { UnixDatagramConnection } from './datagram-connection.ts';
import { invalidOption } from './errors.ts';

const defaultSocket = '/run/systemd/journal/socket';
const INFO = 6;
const ERROR = 3;
/** Larger entries go as files in memory: a socket's buffer may be as small as this. */
const MAX_PACKET_BYTES = 128 * 1024;

/** Lines as entries of systemd's journal, by its native protocol. `BERTH_JOURNAL_SOCKET` names another socket. */
export const journald: LogDriver = {
  options: [],
  check: () => undefined,
  retryMs: () => 1000,
  open: openJournald,
};

function openJournald(_options: unknown, info: LogInfo, host: LogDriverHost): LogDestination {
  const path = process.env['BERTH_JOURNAL_SOCKET'] ?? defaultSocket;
  if (!existsSync(path)) throw invalidOption('journald is not enabled on this host');
  const connection = new UnixDatagramConnection(path, host);
  const encode = journalEncoder(info, randomHex(32));
  return {
    deliver: async (messages) => {
      for (const message of messages) await sendEntry(connection, encode(message), host);
      await connection.send([]);
    },
    close: () => connection.close(),
  };
}

async function sendEntry(connection: UnixDatagramConnection, entry: Buffer, host: LogDriverHost): Promise<void> {
  if (entry.length <= MAX_PACKET_BYTES) return await connection.transfer((fd) => host.sockets.send(fd, entry));
  const file = host.files.sealedMemory('journal-entry', entry);
  try {
    await connection.transfer((fd) => host.sockets.sendWithFds(fd, new Uint8Array(0), [file]));
  } finally {
    host.files.closeFd(file);
  }
}

/** An entry's bytes. The ordinals count from one within an epoch. */
export function journalEncoder(info: LogInfo, epoch: string): (message: LogMessage) => Buffer {
  const constant: Record<string, string> = {
    CONTAINER_ID: info.containerId.slice(0, 12),
    CONTAINER_ID_FULL: info.containerId,
    CONTAINER_NAME: info.containerName,
    CONTAINER_TAG: info.tag,
    IMAGE_NAME: info.imageName,
    SYSLOG_IDENTIFIER: info.tag,
    CONTAINER_LOG_EPOCH: epoch,
  };
  for (const [name, value] of Object.entries(info.attributes)) constant[fieldName(name)] = value;
  delete constant[''];
  const head = Buffer.concat(Object.entries(constant).map(([name, value]) => field(name, Buffer.from(value))));
  let ordinal = 0;
  return ({ stream, time, data, partial }) => {
    ordinal++;
    const own: Record<string, string> = {
      PRIORITY: String(stream === 'stderr' ? ERROR : INFO),
      SYSLOG_TIMESTAMP: formatRfc3339Nano(time),
      CONTAINER_LOG_ORDINAL: String(ordinal),
    };
    if (partial) {
      own['CONTAINER_PARTIAL_ID'] = partial.id;
      own['CONTAINER_PARTIAL_ORDINAL'] = String(partial.ordinal);
      own['CONTAINER_PARTIAL_LAST'] = String(partial.last);
      if (!partial.last) own['CONTAINER_PARTIAL_MESSAGE'] = 'true';
    }
    const fields = Object.entries(own).map(([name, value]) => field(name, Buffer.from(value)));
    return Buffer.concat([...fields, head, field('MESSAGE', data)]);
  };
}

/** `NAME=value`, or with its length before it where it has several lines. */
function field(name: string, value: Buffer): Buffer {
  const end = Buffer.from('\n');
  if (!value.includes(0x0a)) return Buffer.concat([Buffer.from(`${name}=`), value, end]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, end]);
}

/** Upper case, digits and underscores, none of them in front. */
function fieldName(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '_')
    .replace(/^_+/, '');
}
