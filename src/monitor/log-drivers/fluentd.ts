import { randomBytes } from 'node:crypto';
import { Encoder, ExtData } from '@msgpack/msgpack';
import { settlesWithin } from '#lib';
import type { LogDestination, LogDriver, LogDriverHost, LogInfo, LogMessage, LogOptions } from './contract.ts';
import { invalidOption, undelivered } from './errors.ts';
import { parseAddress, parseDurationMs, parseSizeBytes, requireBool } from './options.ts';
import { type StreamAddress, StreamConnection } from './stream-connection.ts';

const DEFAULT_PORT = 24224;
/** How long an acknowledgement may take, where no read timeout is set. */
const ACK_MS = 60_000;
/** The protocol's type of a time with nanoseconds. */
const EVENT_TIME = 0;

/** Lines as events of Fluentd's forward protocol, v1, message mode. */
export const fluentd: LogDriver = {
  options: [
    'fluentd-address',
    'fluentd-async',
    'fluentd-async-reconnect-interval',
    'fluentd-buffer-limit',
    'fluentd-max-retries',
    'fluentd-read-timeout',
    'fluentd-request-ack',
    'fluentd-retry-wait',
    'fluentd-sub-second-precision',
    'fluentd-write-timeout',
  ],
  check: checkFluentd,
  retryMs: (options) => durationMs(options, 'fluentd-retry-wait') || 1000,
  open: openFluentd,
};

function openFluentd(options: LogOptions, info: LogInfo, host: LogDriverHost): LogDestination {
  const wantsAck = flag(options, 'fluentd-request-ack');
  const ackMs = durationMs(options, 'fluentd-read-timeout') || ACK_MS;
  const encode = fluentdEncoder(info, flag(options, 'fluentd-sub-second-precision'));
  const acks = new Acknowledgements();
  const connection = new StreamConnection(parseFluentdAddress(options['fluentd-address'] ?? ''), host.sockets, (data) =>
    acks.push(data),
  );
  return {
    deliver: async (messages) => {
      const ids = messages.map(() => (wantsAck ? randomBytes(16).toString('base64') : undefined));
      const all = acks.expect(ids.filter((id) => id !== undefined));
      await connection.send(Buffer.concat(messages.map((message, index) => encode(message, ids[index]))));
      if (!wantsAck) return;
      const answered = settlesWithin(all, ackMs).then((inTime) => {
        if (!inTime) throw undelivered(`no acknowledgement within ${ackMs} ms`);
      });
      answered.catch(() => undefined);
      await connection.wait(answered);
    },
    close: () => connection.close(),
  };
}

/** The chunks that the receiver says it has. */
class Acknowledgements {
  #missing: Set<string>;
  #all: PromiseWithResolvers<void>;
  #rest: Buffer;

  constructor() {
    this.#missing = new Set();
    this.#all = Promise.withResolvers();
    this.#rest = Buffer.alloc(0);
  }

  /** Resolves when all these came; what was expected before is not any more. */
  expect(ids: readonly string[]): Promise<void> {
    this.#missing = new Set(ids);
    this.#all = Promise.withResolvers();
    this.#rest = Buffer.alloc(0);
    return this.#all.promise;
  }

  /** An answer is a map of one member, `ack`, a text: it ends where the identifier does. */
  push(data: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, data]);
    const text = this.#rest.toString('latin1');
    for (const id of this.#missing) if (text.includes(id)) this.#missing.delete(id);
    if (this.#missing.size === 0) this.#all.resolve();
  }
}

/** An event's bytes; `chunk` asks the receiver to acknowledge it by that name. */
export function fluentdEncoder(
  info: LogInfo,
  subSecondPrecision: boolean,
): (message: LogMessage, chunk: string | undefined) => Uint8Array {
  const encoder = new Encoder();
  return ({ stream, time, data, partial }, chunk) => {
    const record: Record<string, string> = {
      container_id: info.containerId,
      container_name: `/${info.containerName}`,
      source: stream,
      log: data.toString('utf8'),
      ...info.attributes,
    };
    if (partial) {
      record['partial_message'] = 'true';
      record['partial_id'] = partial.id;
      record['partial_ordinal'] = String(partial.ordinal);
      record['partial_last'] = String(partial.last);
    }
    const seconds = Number(time / 1_000_000_000n);
    const when = subSecondPrecision ? eventTime(seconds, Number(time % 1_000_000_000n)) : seconds;
    return encoder.encode([info.tag, when, record, chunk === undefined ? {} : { chunk }]);
  };
}

function eventTime(seconds: number, nanoseconds: number): ExtData {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(seconds, 0);
  bytes.writeUInt32BE(nanoseconds, 4);
  return new ExtData(EVENT_TIME, bytes);
}

function parseFluentdAddress(text: string): StreamAddress {
  const {
    scheme,
    host,
    port = DEFAULT_PORT,
    path,
  } = parseAddress(text === '' || text.includes('://') ? text || 'tcp://' : `tcp://${text}`);
  const refuse = (why: string): never => {
    throw invalidOption(`invalid fluentd-address (${text}): ${why}`);
  };
  if (scheme === 'unix') {
    if (/^\/*$/.test(path)) refuse('path is empty');
    return { kind: 'unix', path };
  }
  if (scheme !== 'tcp' && scheme !== 'tls') return refuse(`unsupported scheme: '${scheme}'`);
  if (path !== '') refuse('should not contain a path element');
  if (port > 65535) refuse(`invalid port: strconv.ParseUint: parsing "${port}": value out of range`);
  const at = { host: host === '' ? '127.0.0.1' : host, port };
  return scheme === 'tcp' ? { kind: 'tcp', ...at } : { kind: 'tls', ...at, tls: {} };
}

function checkFluentd(options: LogOptions): void {
  parseFluentdAddress(options['fluentd-address'] ?? '');
  if (options['fluentd-buffer-limit']) parseSizeBytes(options['fluentd-buffer-limit']);
  durationMs(options, 'fluentd-retry-wait');
  const retries = options['fluentd-max-retries'] ?? '';
  if (retries !== '' && !/^\d+$/.test(retries)) {
    throw invalidOption(`strconv.ParseUint: parsing ${JSON.stringify(retries)}: invalid syntax`);
  }
  for (const name of ['fluentd-async', 'fluentd-sub-second-precision', 'fluentd-request-ack']) flag(options, name);
  const interval = durationMs(options, 'fluentd-async-reconnect-interval');
  if (interval !== 0 && (interval < 100 || interval > 10_000)) {
    throw invalidOption(
      `invalid value for fluentd-async-reconnect-interval: value (${JSON.stringify(options['fluentd-async-reconnect-interval'])}) must be between 100ms and 10s`,
    );
  }
  for (const name of ['fluentd-write-timeout', 'fluentd-read-timeout']) {
    if (durationMs(options, name) < 0) {
      throw invalidOption(`invalid value for ${name}: value must be a duration that is non-negative`);
    }
  }
}

function flag(options: LogOptions, name: string): boolean {
  const text = options[name] ?? '';
  return text !== '' && requireBool(text);
}

/** Zero where there is none. */
function durationMs(options: LogOptions, name: string): number {
  const text = options[name] ?? '';
  return text === '' ? 0 : parseDurationMs(text);
}
