import { existsSync, readFileSync, statSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { LogDestination, LogDriver, LogDriverHost, LogInfo, LogMessage, LogOptions } from './contract.ts';
import { type DatagramConnection, UdpConnection, UnixDatagramConnection } from './datagram-connection.ts';
import { invalidOption } from './errors.ts';
import { parseAddress } from './options.ts';
import { StreamConnection } from './stream-connection.ts';
import { type SyslogFormat, syslogFormats, type SyslogSource } from './syslog-format.ts';

const DEFAULT_PORT = 514;
const DAEMON = 3;
const INFO = 6;
const ERROR = 3;

/** By number, see RFC 5424, 6.2.1. */
const facilities: readonly string[] =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp - - - - local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );

type SyslogAddress =
  | { kind: 'local' }
  | { kind: 'unix' | 'unixgram'; path: string }
  | { kind: 'udp' | 'tcp' | 'tcp+tls'; host: string; port: number };

/** Where syslogs of this host are found, when no address is given. */
const localPaths = ['/dev/log', '/var/run/syslog', '/var/run/log'];

/** Lines as syslog messages; see RFC 3164, RFC 5424 and RFC 5425. */
export const syslog: LogDriver = {
  options: [
    'syslog-address',
    'syslog-facility',
    'syslog-format',
    'syslog-tls-ca-cert',
    'syslog-tls-cert',
    'syslog-tls-key',
    'syslog-tls-skip-verify',
  ],
  check(options) {
    parseSyslogAddress(options['syslog-address'] ?? '');
    parseFacility(options['syslog-facility'] ?? '');
    parseFormat(options['syslog-format'] ?? '');
  },
  retryMs: () => 1000,
  open: openSyslog,
};

function openSyslog(options: LogOptions, info: LogInfo, host: LogDriverHost): LogDestination {
  const address = findLocal(parseSyslogAddress(options['syslog-address'] ?? ''));
  const facility = parseFacility(options['syslog-facility'] ?? '');
  const format = parseFormat(options['syslog-format'] ?? '');
  const source: SyslogSource = { tag: info.tag, hostname: info.hostname, pid: process.pid };
  const framed = address.kind === 'tcp+tls' && format.framedOverTls;
  const encode = ({ stream, time, data }: LogMessage): Buffer => {
    const severity = stream === 'stderr' ? ERROR : INFO;
    const text = format.header({ priority: facility * 8 + severity, time, source });
    const message = Buffer.concat([Buffer.from(text), data, Buffer.from('\n')]);
    return framed ? Buffer.concat([Buffer.from(`${message.length} `), message]) : message;
  };
  const { send, close } = connectSyslog(address, options, host);
  return {
    deliver: async (messages) => {
      // As in dockerd, an empty line is none.
      const encoded = messages.filter(({ data }) => data.length > 0).map(encode);
      if (encoded.length > 0) await send(encoded);
    },
    close,
  };
}

function connectSyslog(
  address: Exclude<SyslogAddress, { kind: 'local' }>,
  options: LogOptions,
  host: LogDriverHost,
): { send: (messages: readonly Buffer[]) => Promise<void>; close: () => void } {
  const packets = (connection: DatagramConnection): ReturnType<typeof connectSyslog> => ({
    send: (messages) => connection.send(messages),
    close: () => connection.close(),
  });
  const stream = (connection: StreamConnection): ReturnType<typeof connectSyslog> => ({
    send: (messages) => connection.send(Buffer.concat(messages)),
    close: () => connection.close(),
  });
  const { sockets } = host;
  switch (address.kind) {
    case 'udp':
      return packets(new UdpConnection(address.host, address.port));
    case 'unixgram':
      return packets(new UnixDatagramConnection(address.path, host));
    case 'unix':
      return stream(new StreamConnection({ kind: 'unix', path: address.path }, sockets));
    case 'tcp':
      return stream(new StreamConnection({ ...address, kind: 'tcp' }, sockets));
    case 'tcp+tls':
      return stream(new StreamConnection({ ...address, kind: 'tls', tls: readTls(options) }, sockets));
  }
}

/** @throws unavailable with Docker's text. */
function findLocal(address: SyslogAddress): Exclude<SyslogAddress, { kind: 'local' }> {
  if (address.kind !== 'local') return address;
  const path = localPaths.find((candidate) => existsSync(candidate));
  if (path === undefined) throw invalidOption('Unix syslog delivery error');
  return { kind: 'unixgram', path };
}

function readTls(options: LogOptions): ConnectionOptions {
  const file = (name: string, key: 'ca' | 'cert' | 'key'): ConnectionOptions => {
    const path = options[name] ?? '';
    return path === '' ? {} : { [key]: readFileSync(path) };
  };
  return {
    ...file('syslog-tls-ca-cert', 'ca'),
    ...file('syslog-tls-cert', 'cert'),
    ...file('syslog-tls-key', 'key'),
    rejectUnauthorized: options['syslog-tls-skip-verify'] === undefined,
  };
}

function parseSyslogAddress(text: string): SyslogAddress {
  if (text === '') return { kind: 'local' };
  const { scheme, host, port = DEFAULT_PORT, path } = parseAddress(text);
  if (scheme === 'unix' || scheme === 'unixgram') {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      throw invalidOption(`stat ${path}: no such file or directory`);
    }
    return { kind: scheme, path };
  }
  if (scheme !== 'udp' && scheme !== 'tcp' && scheme !== 'tcp+tls') {
    throw invalidOption(`unsupported scheme: '${scheme}'`);
  }
  return { kind: scheme, host: host === '' ? 'localhost' : host, port };
}

function parseFacility(text: string): number {
  if (text === '') return DAEMON;
  const named = text === '-' ? -1 : facilities.indexOf(text);
  if (named >= 0) return named;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= 23)) throw invalidOption('invalid syslog facility');
  return number;
}

function parseFormat(text: string): SyslogFormat {
  const format = Object.hasOwn(syslogFormats, text) ? syslogFormats[text] : undefined;
  if (!format) throw invalidOption('Invalid syslog format');
  return format;
}
