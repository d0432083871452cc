import { isIP } from 'node:net';
import { EngineError } from '#errors';

/** Address families as netlink numbers them. */
export const AF = { INET: 2, INET6: 10 } as const;

function invalidAddress(text: string): EngineError {
  return new EngineError('invalidArgument', 'SYS_INVALID_ADDRESS', `invalid address ${JSON.stringify(text)}`);
}

function hextets(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

/**
 * The bytes of an IPv4 (4) or IPv6 (16) address in network order.
 *
 * @throws {@link EngineError} invalidArgument for anything else.
 */
export function ipToBytes(text: string): Buffer {
  const version = isIP(text);
  if (version === 4) return Buffer.from(text.split('.').map(Number));
  if (version !== 6 || text.includes('%')) throw invalidAddress(text);
  const [head = '', tail] = text.split('::');
  const before = hextets(head);
  const after = hextets(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const bytes = Buffer.alloc(16);
  for (const [index, value] of [...before, ...Array<number>(zeros).fill(0), ...after].entries()) {
    bytes.writeUInt16BE(value, index * 2);
  }
  return bytes;
}

/** The usual text of an address (RFC 5952 for IPv6). */
export function ipFromBytes(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const runs = [...groups.join(':').matchAll(/(?:^|(?<=:))0(?::0)+(?![^:])/g)];
  const longest = runs.reduce((best, run) => (run[0].length > best.length ? run[0] : best), '');
  if (longest === '') return groups.join(':');
  const text = groups.join(':');
  const at = runs.find((run) => run[0] === longest)?.index ?? 0;
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}

/** The family of an address in bytes. */
export function familyOf(bytes: Uint8Array): number {
  return bytes.length === 4 ? AF.INET : AF.INET6;
}

/**
 * The six bytes of a MAC address.
 *
 * @throws {@link EngineError} invalidArgument for anything else.
 */
export function macToBytes(text: string): Buffer {
  if (!/^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i.test(text)) throw invalidAddress(text);
  return Buffer.from(text.replaceAll(/[:-]/g, ''), 'hex');
}

/** A MAC address as `02:42:ac:11:00:02`. */
export function macFromBytes(bytes: Buffer): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
