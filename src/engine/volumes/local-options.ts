import { isIP } from 'node:net';
import { EngineError } from '#errors';

/** Driver options of a volume, as given. */
export type VolumeOptions = Readonly<Record<string, string>>;

const known = new Set(['type', 'o', 'device', 'size']);
/** What each option needs beside it. */
const needs: readonly (readonly [string, readonly string[]])[] = [
  ['device', ['type']],
  ['type', ['device']],
  ['o', ['device', 'type']],
];

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_VOLUME_OPTION', message);
}

/**
 * Checks options of the driver `local`.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function checkLocalOptions(options: VolumeOptions): void {
  const unknown = Object.keys(options).find((key) => !known.has(key));
  if (unknown !== undefined) throw invalid(`invalid option: ${JSON.stringify(unknown)}`);
  const { type, device, size } = options;
  if (type === 'cifs' && device !== undefined && /^[a-z]*:?\/\/[^/]*:\d/.test(device)) {
    throw invalid("port not allowed in CIFS device URL, include 'port' in 'o='");
  }
  if (size !== undefined && parseSize(size) > 0) throw invalid('quota size requested but no quota support');
  for (const [key, others] of needs) {
    const missing = options[key] === undefined ? undefined : others.find((other) => options[other] === undefined);
    if (missing !== undefined) throw invalid(`missing required option: ${JSON.stringify(missing)}`);
  }
}

function parseSize(text: string): number {
  const found = /^(\d+(?:\.\d+)?) ?[kmgtp]?i?b?$/i.exec(text);
  if (!found) throw invalid(`invalid size: '${text}'`);
  return Number(found[1]);
}

/** Whether a volume of these options is something to be mounted; without, it is a plain directory. */
export function needsMount(options: VolumeOptions | null): boolean {
  return (options?.['device'] ?? '') !== '' || (options?.['type'] ?? '') !== '';
}

/** Whether mounting may wait for somebody else, or for a disk. */
export function mayWait(options: VolumeOptions): boolean {
  return !['tmpfs', 'none', 'bind', ''].includes(options['type'] ?? '');
}

/**
 * What is to be mounted: device and options, with host names replaced by addresses, which is all that the kernel takes.
 *
 * @throws what `resolve` throws for a name it does not know.
 */
export async function resolveDevice(
  options: VolumeOptions,
  resolve: (host: string) => Promise<string>,
): Promise<{ device: string; options: string }> {
  const { type = '', device = '', o = '' } = options;
  if (device === '') throw invalid('missing device in volume options');
  if (type !== 'nfs' && type !== 'cifs') return { device, options: o };
  const address = /(?:^|,)addr=([^,]*)/.exec(o)?.[1] ?? '';
  if (address !== '' && isIP(address) === 0) {
    return { device, options: o.replace(`addr=${address}`, `addr=${await resolve(address)}`) };
  }
  const host = type === 'cifs' ? /^(?:[a-z]+:)?\/\/([^/]+)/.exec(device)?.[1] : undefined;
  if (host === undefined || isIP(host) !== 0) return { device, options: o };
  return { device: device.replace(host, await resolve(host)), options: o };
}

/** Hides a password of mount options in a message. */
export function withoutPassword(message: string, options: string): string {
  const password = /(?:^|,)password=([^,]*)/.exec(options)?.[1] ?? '';
  return password === '' ? message : message.replaceAll(`password=${password}`, 'password=********');
}
