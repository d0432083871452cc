export interface SyslogSource {
  tag: string;
  hostname: string;
  pid: number;
}

export interface SyslogRecord {
  /** Facility times eight plus severity. */
  priority: number;
  /** Nanoseconds since the epoch. */
  time: bigint;
  source: SyslogSource;
}

export interface SyslogFormat {
  /** What stands before the line. */
  header(record: SyslogRecord): string;
  /** Over TLS the length stands before the message (RFC 5425), so that a line may hold anything. */
  framedOverTls: boolean;
}

/** By `syslog-format`. Times are local, as in dockerd; they are the lines' own, not those of sending. */
export const syslogFormats: Readonly<Record<string, SyslogFormat>> = {
  '': {
    header: ({ priority, time, source: { tag, pid } }) => `<${priority}>${stamp(time)} ${tag}[${pid}]: `,
    framedOverTls: false,
  },
  rfc3164: {
    header: ({ priority, time, source: { tag, hostname, pid } }) =>
      `<${priority}>${stamp(time)} ${hostname} ${tag}[${pid}]: `,
    framedOverTls: false,
  },
  rfc5424: { header: (record) => rfc5424(record, 0), framedOverTls: true },
  rfc5424micro: { header: (record) => rfc5424(record, 6), framedOverTls: true },
};

function rfc5424({ priority, time, source: { tag, hostname, pid } }: SyslogRecord, digits: number): string {
  return `<${priority}>1 ${localTime(time, digits)} ${hostname} ${tag} ${pid} ${tag} - `;
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Go's `time.Stamp`: `Jan _2 15:04:05`. */
function stamp(time: bigint): string {
  const date = new Date(Number(time / 1_000_000n));
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`;
}

/** RFC 3339 in local time, with so many digits after the second. */
function localTime(time: bigint, digits: number): string {
  const date = new Date(Number(time / 1_000_000n));
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const fraction =
    digits === 0
      ? ''
      : `.${String(time % 1_000_000_000n)
          .padStart(9, '0')
          .slice(0, digits)}`;
  return `${local}${fraction}${offset === 0 ? 'Z' : zone(offset)}`;
}

function zone(offsetMinutes: number): string {
  const minutes = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
