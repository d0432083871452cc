import type { PortMap } from '#spec';
import { CliError } from '../framework/errors.ts';
import { cut, isIpAddress, parseDecimal, quote } from './go-values.ts';

/** What `-p` and `--expose` come to. */
export interface PortOptions {
  exposed: Record<string, Record<string, never>>;
  bindings: PortMap;
}

/**
 * Reads `-p` (`[ip:][host[-end]:]container[-end][/proto]`, or `published=8080,target=80,protocol=tcp`) and `--expose`.
 *
 * @throws {@link CliError}
 */
export function parsePorts(publish: readonly string[], expose: readonly string[]): PortOptions {
  const exposed: PortOptions['exposed'] = {};
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const spec of publish.map(shortNotation)) {
    for (const { port, hostIp, hostPort } of publishedPorts(spec)) {
      exposed[port] = {};
      (bindings[port] ??= []).push({ HostIp: hostIp, HostPort: hostPort });
    }
  }
  for (const spec of expose) {
    for (const port of exposedPorts(spec)) exposed[port] = {};
  }
  return { exposed, bindings };
}

function shortNotation(spec: string): string {
  if (!spec.includes('=')) return spec;
  const parameters = new Map([['protocol', 'tcp']]);
  for (const parameter of spec.split(',')) {
    const [key, value, found] = cut(parameter, '=');
    if (!found || key === '') {
      throw new CliError(`invalid publish opts format (should be name=value but got '${parameter}')`);
    }
    parameters.set(key, value);
  }
  const part = (name: string): string => parameters.get(name) ?? '';
  return `${part('published')}:${part('target')}/${part('protocol')}`;
}

interface PublishedPort {
  /** `80/tcp`. */
  port: string;
  hostIp: string;
  /** Empty, a number, or a range to choose from. */
  hostPort: string;
}

function publishedPorts(spec: string): PublishedPort[] {
  const { ip, host, container } = splitSpec(spec);
  const [ports, protocol] = splitProtocol(container);
  const hostIp = plainIp(ip);
  if (ports === '') throw new CliError(`no port specified: ${spec}<empty>`);
  const range = tryRange(ports) ?? fail(`invalid containerPort: ${ports}`);
  const hostRange = host === '' ? undefined : (tryRange(host) ?? fail(`invalid hostPort: ${host}`));
  const span = range.end - range.start;
  const hostSpan = hostRange ? hostRange.end - hostRange.start : span;
  if (span !== hostSpan && span !== 0) {
    throw new CliError(`invalid ranges specified for container and host Ports: ${ports} and ${host}`);
  }
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) throw new CliError(`invalid proto: ${protocol}`);
  return Array.from({ length: span + 1 }, (_, offset) => ({
    port: `${range.start + offset}/${protocol.toLowerCase()}`,
    hostIp,
    hostPort: hostPortText(hostRange, offset, span),
  }));
}

function hostPortText(range: PortRange | undefined, offset: number, span: number): string {
  if (!range) return '';
  const choice = span === 0 && range.start !== range.end;
  return choice ? `${range.start}-${range.end}` : String(range.start + offset);
}

function splitSpec(spec: string): { ip: string; host: string; container: string } {
  const parts = spec.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  return { ip: parts.join(':'), host, container };
}

/** IPv6 may come in brackets. */
function plainIp(text: string): string {
  if (text === '') return '';
  let ip = text;
  if (text.startsWith('[')) {
    const inner = /^\[([^\]]*)\](.*)$/.exec(text);
    if (!inner) throw new CliError(`invalid IP address ${text}: address ${text}:: missing ']' in address`);
    const [, address = '', rest = ''] = inner;
    if (rest !== '') throw new CliError(`invalid IP address ${text}: address ${text}:: missing port in address`);
    ip = address;
  }
  if (!isIpAddress(ip)) throw new CliError(`invalid IP address: ${ip}`);
  return ip;
}

function splitProtocol(text: string): [ports: string, protocol: string] {
  const [ports = '', protocol = ''] = text.split('/');
  if (ports === '') return ['', ''];
  return [ports, protocol === '' ? 'tcp' : protocol];
}

interface PortRange {
  start: number;
  end: number;
}

function tryRange(text: string): PortRange | undefined {
  const range = parseRange(text);
  return typeof range === 'string' ? undefined : range;
}

/** The range, or Go's words on what is wrong with it. */
function parseRange(text: string): PortRange | string {
  if (text === '') return 'empty string specified for ports';
  const [first = '', last = first] = text.split('-');
  const numbers: number[] = [];
  for (const part of text.includes('-') ? [first, last] : [text]) {
    const value = parseDecimal(part, 16, false);
    if (typeof value !== 'number') return `strconv.ParseUint: parsing ${quote(part)}: ${value}`;
    numbers.push(value);
  }
  const [start = 0, end = start] = numbers;
  return end < start ? `invalid range specified for port: ${text}` : { start, end };
}

function exposedPorts(spec: string): string[] {
  if (spec.includes(':')) throw new CliError(`invalid port format for --expose: ${spec}`);
  const [ports, protocol] = splitProtocol(spec);
  const range = parseRange(ports);
  if (typeof range === 'string') throw new CliError(`invalid range format for --expose: ${spec}, error: ${range}`);
  return Array.from({ length: range.end - range.start + 1 }, (_, offset) => `${range.start + offset}/${protocol}`);
}

function fail(message: string): never {
  throw new CliError(message);
}
