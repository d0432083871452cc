import { FlagValueError } from '../framework/errors.ts';
import { canonicalIp, cut, isIpAddress, quote } from './go-values.ts';

/** One of `stdin`, `stdout`, `stderr` in lower case. */
export function checkAttach(text: string): string {
  const stream = text.toLowerCase();
  if (['stdin', 'stdout', 'stderr'].includes(stream)) return stream;
  throw new FlagValueError('valid streams are STDIN, STDOUT and STDERR');
}

/** `NAME=value`, or `NAME`, which takes its value from `environment` and stays bare when it has none there. */
export function checkEnv(text: string, environment: NodeJS.ProcessEnv = process.env): string {
  const [name, , hasValue] = cut(text, '=');
  if (name === '') throw new FlagValueError(`invalid environment variable: ${text}`);
  const found = hasValue ? undefined : environment[name];
  return found === undefined ? text : `${name}=${found}`;
}

/** `key[=value]` with no blanks in the key. */
export function checkLabel(text: string): string {
  const key = cut(text, '=')[0].replace(/^[ \t]+/, '');
  if (key === '') throw new FlagValueError(`invalid label '${text}': empty name`);
  if (/[ \t]/.test(key)) throw new FlagValueError(`label '${key}' contains whitespaces`);
  return text;
}

/** An IP address in its canonical form. */
export function checkIpAddress(text: string): string {
  const canonical = canonicalIp(text.trim());
  if (canonical === undefined) throw new FlagValueError(`IP address is not correctly formatted: ${text}`);
  return canonical;
}

const domainLabel = '(?::?[a-zA-Z0-9]|:?[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domainPattern = new RegExp(`^(:?${domainLabel}(?::?\\.${domainLabel})*)\\.?\\s*$`);

/** A search domain, or `.` for none. */
export function checkDnsSearch(text: string): string {
  const domain = text.replace(/^ +| +$/g, '');
  if (domain === '.') return domain;
  const name = /[a-zA-Z]/.test(domain) ? domainPattern.exec(domain)?.[1] : undefined;
  if (name === undefined || name.length >= 255) throw new FlagValueError(`${domain} is not a valid domain`);
  return name;
}

/** `host:ip` from `host:ip`, `host=ip` and `host=[ip]`; `host-gateway` stands for an address. */
export function checkExtraHost(text: string): string {
  const [host, address, found] = text.includes('=') ? cut(text, '=') : cut(text, ':');
  if (!found || host === '' || host.includes(':')) {
    throw new FlagValueError(`bad format for add-host: ${quote(text)}`);
  }
  if (address === 'host-gateway') return `${host}:${address}`;
  const ip = /^\[(.+)\]$/s.exec(address)?.[1] ?? address;
  if (!isIpAddress(ip.trim())) throw new FlagValueError(`invalid IP address in add-host: ${quote(ip)}`);
  return `${host}:${ip}`;
}

/** `container[:alias]`. */
export function checkLink(text: string): string {
  if (text === '') throw new FlagValueError('empty string specified for links');
  if (text.split(':').length > 2) throw new FlagValueError(`bad format for links: ${text}`);
  return text;
}

const namespacedSysctls = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** `name=value` of a sysctl that belongs to a namespace, so that a container may have its own. */
export function checkSysctl(text: string): string {
  const [name, , found] = cut(text, '=');
  const known = namespacedSysctls.has(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.');
  if (!found || !known) throw new FlagValueError(`sysctl '${text}' is not allowed`);
  return text;
}

/** `c 1:3 rwm` and its like. */
export function checkDeviceCgroupRule(text: string): string {
  if (/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text)) return text;
  throw new FlagValueError(`invalid device cgroup format '${text}'`);
}
