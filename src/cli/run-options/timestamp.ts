import { CliError } from '../framework/errors.ts';
import { parseDurationNs } from '../framework/values.ts';

/**
 * What the API takes for `--since` and `--until`, from a while ago (`10m`), a date or time of day with or without zone,
 * or seconds since the epoch.
 *
 * @returns `seconds` or `seconds.nanoseconds`.
 * @throws {@link CliError} when it is none of these.
 */
export function parseTimestamp(name: 'since' | 'until', text: string, nowMs: number): string {
  const ago = durationMs(text);
  if (ago !== undefined) return String(Math.floor((nowMs - ago) / 1000));
  const time = dateTime(text);
  if (time !== undefined) return time;
  if (/^[+-]?\d+(?:\.\d+)?$/.test(text)) return text;
  const why = text.includes('-')
    ? `parsing time ${JSON.stringify(text)} as "${layoutOf(text)}": cannot parse it`
    : `failed to parse value as time or duration: ${JSON.stringify(text)}`;
  throw new CliError(`invalid value for "${name}": ${why}`);
}

function durationMs(text: string): number | undefined {
  if (text === '0') return undefined;
  try {
    return parseDurationNs(text) / 1e6;
  } catch {
    return undefined;
  }
}

const pattern = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d\d:\d\d)?$/;

function dateTime(text: string): string | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, date = '', hour = '00', minute = '00', second = '00', fraction = '', zone = ''] = match;
  const ms = Date.parse(`${date}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(ms) ? undefined : `${Math.floor(ms / 1000)}.${fraction.padEnd(9, '0')}`;
}

/** The layout Docker tries, by the look of the text. */
function layoutOf(text: string): string {
  const local = !/[zZ+]/.test(text) && text.split('-').length !== 4;
  const zone = local ? '' : 'Z07:00';
  if (text.includes('.')) return `2006-01-02T15:04:05.999999999${zone}`;
  if (!text.includes('T')) return `2006-01-02${zone}`;
  const colons = text.split(':').length - 1 - (local || /[zZ]/.test(text) ? 0 : 1);
  return `2006-01-02T15${colons > 0 ? ':04' : ''}${colons > 1 ? ':05' : ''}${zone}`;
}
