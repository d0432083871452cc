import { EngineError } from '#errors';
import type { Mount } from '#spec';

export const propagations: ReadonlySet<string> = new Set([
  'private',
  'rprivate',
  'shared',
  'rshared',
  'slave',
  'rslave',
]);

/** The kinds of words in the third part of `-v`; of each kind there may be one. */
const kinds = [
  new Set(['ro', 'rw']),
  new Set(['z', 'Z']),
  propagations,
  new Set(['nocopy']),
  new Set(['consistent', 'cached', 'delegated']),
];

export function invalidMountSetting(code: string, message: string): EngineError {
  return new EngineError('invalidArgument', code, message);
}

export function invalidSpec(spec: string, reason?: string): EngineError {
  return invalidMountSetting(
    'INVALID_VOLUME_SPEC',
    `invalid volume specification: '${spec}'${reason === undefined ? '' : `: ${reason}`}`,
  );
}

export function invalidMode(mode: string): EngineError {
  return invalidMountSetting('INVALID_MOUNT_MODE', `invalid mode: ${mode}`);
}

function isMode(text: string): boolean {
  const words = text === '' ? [] : text.split(',');
  const counts = kinds.map((kind) => words.filter((word) => kind.has(word)).length);
  return counts.every((count) => count <= 1) && counts.reduce((sum, count) => sum + count, 0) === words.length;
}

/**
 * Reads the value of `-v` (an entry of `Binds`): `source:target[:mode]`, or a target alone.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function parseBindSpec(spec: string, volumeDriver: string): { mount: Mount; mode: string } {
  const parts = spec.split(':');
  const [first = '', second = '', mode = ''] = parts;
  if (parts.length > 3 || first === '') throw invalidSpec(spec);
  if (parts.length === 2 && isMode(second)) throw invalidSpec(spec);
  if (!isMode(mode)) throw invalidMode(mode);
  const words = mode.split(',');
  const [Source, Target] = parts.length === 1 ? ['', first] : [first, second];
  const Type = Source.startsWith('/') ? 'bind' : 'volume';
  const propagation = words.find((word) => propagations.has(word));
  const noCopy = words.includes('nocopy');
  const driver = Type === 'volume' && volumeDriver !== '' ? { DriverConfig: { Name: volumeDriver } } : {};
  const mount: Mount = { Type, Source, Target, ReadOnly: words.includes('ro') };
  if (propagation !== undefined) mount.BindOptions = { Propagation: propagation };
  if (noCopy || 'DriverConfig' in driver) mount.VolumeOptions = { ...driver, ...(noCopy ? { NoCopy: true } : {}) };
  return { mount, mode };
}

/**
 * Reads an entry of `VolumesFrom`: a container and perhaps `ro`, `rw`, `z` or `Z`.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function parseVolumesFrom(spec: string): { container: string; readOnly: boolean } {
  if (spec === '') {
    throw invalidMountSetting('INVALID_VOLUMES_FROM', 'volumes-from specification cannot be an empty string');
  }
  const colon = spec.indexOf(':');
  const [container, mode] = colon === -1 ? [spec, ''] : [spec.slice(0, colon), spec.slice(colon + 1)];
  const words = mode.split(',');
  if (!isMode(mode) || words.some((word) => propagations.has(word) || word === 'nocopy')) throw invalidMode(mode);
  return { container, readOnly: words.includes('ro') };
}
