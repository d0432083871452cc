import { EngineError } from '#errors';
import { encodeStdcopyHeader } from '#spec';
import type { BodyWriter } from '../../http/body-writer.ts';
import type { Exchange } from '../../http/exchange.ts';
import { describeFailure } from '../../http/status.ts';
import type { ContainersBackend, LogEntry, LogsOptions } from './backend.ts';
import { idOf } from './lifecycle.ts';

function optionsOf({ query, signal }: Exchange): LogsOptions {
  const stdout = query.flag('stdout');
  const stderr = query.flag('stderr');
  if (!stdout && !stderr) {
    throw new EngineError('invalidArgument', 'NO_STREAM', 'Bad parameters: you must choose at least one stream');
  }
  const tail = query.text('tail');
  return {
    follow: query.flag('follow'),
    stdout,
    stderr,
    since: query.time('since'),
    until: query.time('until'),
    timestamps: query.flag('timestamps'),
    // Everything that is no count means all, `all` among it.
    tail: /^\+?\d{1,15}$/.test(tail) ? Number(tail) : undefined,
    details: query.flag('details'),
    signal,
  };
}

let formattedSecond = -1n;
let formattedSecondText = '';

/** RFC 3339 in UTC with always nine digits, so that lines stay aligned. */
export function formatLogTime(nano: bigint): string {
  const second = nano / 1_000_000_000n;
  if (second !== formattedSecond) {
    formattedSecond = second;
    formattedSecondText = new Date(Number(second) * 1000).toISOString().slice(0, 19);
  }
  return `${formattedSecondText}.${(nano % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

/** What `details` puts before each line: attributes sorted by name, then a blank, which stays where there are none. */
export function detailsOf(attributes: Readonly<Record<string, string>>): string {
  const escape = (text: string): string =>
    encodeURIComponent(text)
      .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll('%20', '+');
  const pairs = Object.entries(attributes).toSorted(([x], [y]) => (x < y ? -1 : 1));
  return `${pairs.map(([name, value]) => `${escape(name)}=${escape(value)}`).join(',')} `;
}

function writeEntry(
  writer: BodyWriter,
  entry: LogEntry,
  form: { timestamps: boolean; details: string; framed: boolean },
): Promise<void> | undefined {
  const prefix = Buffer.from(`${form.timestamps ? `${formatLogTime(entry.time)} ` : ''}${form.details}`);
  const pieces = prefix.length === 0 ? [entry.data] : [prefix, entry.data];
  if (form.framed) pieces.unshift(encodeStdcopyHeader(entry.stream, prefix.length + entry.data.length));
  return writer.write(...pieces);
}

export async function logs(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const options = optionsOf(exchange);
  const { tty, attributes = {}, entries } = await backend.logs(idOf(exchange), options);
  const details = options.details ? detailsOf(attributes) : '';
  const form = { timestamps: options.timestamps, details, framed: !tty };
  // The frames have had a name of their own since API 1.42.
  const type = !tty && exchange.version >= 42 ? 'multiplexed' : 'raw';
  const writer = exchange.stream(`application/vnd.docker.${type}-stream`);
  try {
    for await (const entry of entries) {
      if (exchange.signal.aborted) break;
      if (entry.stream === 'stdout' ? !options.stdout : !options.stderr) continue;
      const slow = writeEntry(writer, entry, form);
      if (slow) await slow;
    }
  } catch (error) {
    if (!exchange.signal.aborted) {
      const message = Buffer.from(`Error grabbing logs: ${describeFailure(error).message}\n`);
      void (tty ? writer.write(message) : writer.write(encodeStdcopyHeader('systemerr', message.length), message));
    }
  }
  writer.end();
}
