function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Minutes east of UTC as `+01:00` or `+0100`. */
function offsetText(minutesEast: number, colon: string): string {
  const magnitude = Math.abs(minutesEast);
  return `${minutesEast < 0 ? '-' : '+'}${two(Math.trunc(magnitude / 60))}${colon}${two(magnitude % 60)}`;
}

function wallClock(date: Date, separator: string): string {
  const day = `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}${separator}${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function zoneName(date: Date, offset: number): string {
  if (offset === 0 && /^(?:Etc\/)?(?:UTC|UCT|Zulu|Universal)$/.test(Intl.DateTimeFormat().resolvedOptions().timeZone))
    return 'UTC';
  const name = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find(({ type }) => type === 'timeZoneName')?.value;
  if (name !== undefined && /^[A-Z]{2,5}$/.test(name)) return name;
  return offset % 60 === 0 ? offsetText(offset, '').slice(0, 3) : offsetText(offset, '');
}

/** A Unix time as Go prints a local time: `2026-11-21 05:16:21 +0000 UTC`. */
export function goTimeText(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  const offset = -date.getTimezoneOffset();
  return `${wallClock(date, ' ')} ${offsetText(offset, '')} ${zoneName(date, offset)}`;
}

/** A Unix time as local RFC 3339: `2026-11-21T05:16:21Z`. `fraction` goes behind the seconds, point included. */
export function localRfc3339(unixSeconds: number, fraction = ''): string {
  const date = new Date(unixSeconds * 1000);
  const offset = -date.getTimezoneOffset();
  return `${wallClock(date, 'T')}${fraction}${offset === 0 ? 'Z' : offsetText(offset, ':')}`;
}

/** The same for RFC 3339 with a fraction: `2026-11-21 05:16:21.123456789 +0000 UTC`, zone as in the text. */
export function goTimeTextOf(rfc3339: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(rfc3339);
  if (!match) return rfc3339;
  const [, day = '', clock = '', fraction = '', zone = ''] = match;
  const digits = fraction.replace(/\.?0+$/, '');
  const offset = zone === 'Z' ? '+0000' : zone.replace(':', '');
  return `${day} ${clock}${digits} ${offset} ${zone === 'Z' ? 'UTC' : offset}`;
}
