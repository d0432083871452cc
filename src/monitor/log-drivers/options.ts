import { parseGoDuration } from '#lib';
import { invalidOption } from './errors.ts';

/** Go's `strconv.ParseBool`; undefined for what is none. */
export function parseBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  return undefined;
}

/** @throws invalidArgument with Go's text. */
export function requireBool(text: string): boolean {
  const value = parseBool(text);
  if (value === undefined) throw invalidOption(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}

const units: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4, p: 1024 ** 5 };

/** `20m`, `1.5 GiB`; bytes. @throws invalidArgument with Docker's text. */
export function parseSizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (!match) throw invalidOption(`invalid size: '${text}'`);
  return Math.floor(Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 1));
}

/** Milliseconds. @throws invalidArgument with Go's text. */
export function parseDurationMs(text: string): number {
  const duration = parseGoDuration(text);
  if (duration === undefined) throw invalidOption(`time: invalid duration ${JSON.stringify(text)}`);
  return Number(duration) / 1e6;
}

export interface LogAddress {
  scheme: string;
  /** Without brackets; empty where there is none. */
  host: string;
  /** Undefined where there is none. */
  port: number | undefined;
  path: string;
}

/** A URL as Go's `net/url` takes it apart. @throws invalidArgument with Go's texts. */
export function parseAddress(text: string): LogAddress {
  const [, scheme = '', rest = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === '') return { scheme: '', host: '', port: undefined, path: text };
  const slash = rest.indexOf('/');
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash);
  const [, bracketed, plain = '', tail = ''] = /^(?:\[([^\]]*)\]|([^:]*))(.*)$/s.exec(authority) ?? [];
  if (tail !== '' && !/^:\d*$/.test(tail)) {
    throw invalidOption(`parse ${JSON.stringify(text)}: invalid port ${JSON.stringify(lastPort(tail))} after host`);
  }
  const port = tail.length > 1 ? Number(tail.slice(1)) : undefined;
  return { scheme: scheme.toLowerCase(), host: bracketed ?? plain, port, path };
}

function lastPort(tail: string): string {
  return tail.slice(tail.lastIndexOf(':'));
}
