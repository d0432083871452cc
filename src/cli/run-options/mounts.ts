import { isAbsolute, resolve } from 'node:path';
import type { Mount } from '#spec';
import { FlagValueError } from '../framework/errors.ts';
import { parseBool } from '../framework/values.ts';
import { readCsvRecord } from './csv.ts';
import { cut } from './go-values.ts';
import { parseRamBytes } from './size.ts';

type VolumeOptions = NonNullable<Mount['VolumeOptions']>;
type DriverConfig = NonNullable<VolumeOptions['DriverConfig']>;

/** A mount while its fields are read; the four groups exist once one of their options was given. */
interface Draft {
  mount: Mount & { Type: string; Target: string };
  labels: Record<string, string>;
  driverOptions: Record<string, string> | undefined;
}

/**
 * Reads the value of `--mount`: `type=bind,source=/a,target=/b,readonly` and the rest of its keys.
 *
 * @param warn - Told about deprecated keys.
 * @throws {@link FlagValueError}
 */
export function parseMount(text: string, warn: (message: string) => void = () => {}): Mount {
  const draft: Draft = { mount: { Type: 'volume', Target: '' }, labels: {}, driverOptions: undefined };
  for (const field of readCsvRecord(text)) readField(draft, field, warn);
  checkMount(draft.mount);
  return dropZeroes(draft);
}

function readField(draft: Draft, field: string, warn: (message: string) => void): void {
  const [typed, value, found] = cut(field, '=');
  const key = typed.toLowerCase();
  const setter = setters[key];
  if (!found) {
    if (!bareKeys.has(key)) throw new FlagValueError(`invalid field '${field}' must be a key=value pair`);
    setter?.(draft, 'true', key);
    return;
  }
  if (!setter) throw new FlagValueError(`unexpected key '${key}' in '${field}'`);
  setter(draft, value, key);
  if (key === 'bind-nonrecursive') warn('bind-nonrecursive is deprecated, use bind-recursive=disabled instead');
}

const bareKeys = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive']);

const bind = ({ mount }: Draft): NonNullable<Mount['BindOptions']> => (mount.BindOptions ??= {});
const image = ({ mount }: Draft): NonNullable<Mount['ImageOptions']> => (mount.ImageOptions ??= {});
const tmpfs = ({ mount }: Draft): NonNullable<Mount['TmpfsOptions']> => (mount.TmpfsOptions ??= {});
const volume = ({ mount }: Draft): VolumeOptions => (mount.VolumeOptions ??= { DriverConfig: {} });
const driver = (draft: Draft): DriverConfig => (volume(draft).DriverConfig ??= {});

type Setter = (draft: Draft, value: string, key: string) => void;

const setTarget: Setter = ({ mount }, value) => {
  mount.Target = value;
};
const setSource: Setter = ({ mount }, value) => {
  mount.Source = !isAbsolute(value) && value.startsWith('.') ? resolve(value) : value;
};
const setReadOnly: Setter = ({ mount }, value, key) => {
  mount.ReadOnly = boolValue(key, value);
};

const setters: Record<string, Setter> = {
  type: ({ mount }, value) => {
    mount.Type = value.toLowerCase();
  },
  source: setSource,
  src: setSource,
  target: setTarget,
  dst: setTarget,
  destination: setTarget,
  readonly: setReadOnly,
  ro: setReadOnly,
  consistency: ({ mount }, value) => {
    mount.Consistency = value.toLowerCase();
  },
  'bind-propagation': (draft, value) => {
    bind(draft).Propagation = value.toLowerCase();
  },
  'bind-nonrecursive': (draft, value, key) => {
    bind(draft).NonRecursive = boolValue(key, value);
  },
  'bind-recursive': setRecursion,
  'volume-subpath': (draft, value) => {
    volume(draft).Subpath = value;
  },
  'volume-nocopy': (draft, value, key) => {
    volume(draft).NoCopy = boolValue(key, value);
  },
  'volume-label': (draft, value) => {
    volume(draft);
    setPair(draft.labels, value);
  },
  'volume-driver': (draft, value) => {
    driver(draft).Name = value;
  },
  'volume-opt': (draft, value) => {
    driver(draft);
    setPair((draft.driverOptions ??= {}), value);
  },
  'image-subpath': (draft, value) => {
    image(draft).Subpath = value;
  },
  'tmpfs-size': (draft, value, key) => {
    tmpfs(draft).SizeBytes = sizeValue(key, value);
  },
  'tmpfs-mode': (draft, value, key) => {
    const mode = /^[0-7]+$/.test(value) ? Number.parseInt(value, 8) : Number.NaN;
    if (!(mode < 2 ** 32)) throw new FlagValueError(`invalid value for ${key}: ${value}`);
    tmpfs(draft).Mode = mode;
  },
};

function setRecursion(draft: Draft, value: string, key: string): void {
  if (value === 'enabled') return;
  if (value === 'disabled') bind(draft).NonRecursive = true;
  else if (value === 'writable') bind(draft).ReadOnlyNonRecursive = true;
  else if (value === 'readonly') bind(draft).ReadOnlyForceRecursive = true;
  else {
    const choice = '(must be "enabled", "disabled", "writable", or "readonly")';
    throw new FlagValueError(`invalid value for ${key}: ${value} ${choice}`);
  }
}

function setPair(target: Record<string, string>, text: string): void {
  const [key, value] = cut(text, '=');
  if (key !== '') target[key] = value;
}

function boolValue(key: string, value: string): boolean {
  try {
    return parseBool(value);
  } catch {
    throw new FlagValueError(`invalid value for ${key}: ${value}`);
  }
}

function sizeValue(key: string, value: string): number {
  try {
    return parseRamBytes(value);
  } catch {
    throw new FlagValueError(`invalid value for ${key}: ${value}`);
  }
}

function checkMount(mount: Mount): void {
  if (mount.Type === '') throw new FlagValueError('type is required');
  if (mount.Target === '') throw new FlagValueError('target is required');
  const groups = {
    volume: mount.VolumeOptions,
    image: mount.ImageOptions,
    bind: mount.BindOptions,
    tmpfs: mount.TmpfsOptions,
  };
  for (const [type, options] of Object.entries(groups)) {
    if (options && mount.Type !== type) {
      throw new FlagValueError(`cannot mix '${type}-*' options with mount type '${mount.Type}'`);
    }
  }
  const { ReadOnlyNonRecursive, ReadOnlyForceRecursive, Propagation } = mount.BindOptions ?? {};
  const needs = (what: string, by: string): never => {
    throw new FlagValueError(`option 'bind-recursive=${by}' requires '${what}' to be specified in conjunction`);
  };
  if (ReadOnlyNonRecursive && !mount.ReadOnly) needs('readonly', 'writable');
  if (ReadOnlyForceRecursive && !mount.ReadOnly) needs('readonly', 'readonly');
  if (ReadOnlyForceRecursive && Propagation !== 'rprivate') needs('bind-propagation=rprivate', 'readonly');
}

/** Docker's client leaves false, 0 and empty fields out; group objects stay even when empty. */
function dropZeroes({ mount, labels, driverOptions }: Draft): Mount {
  const { VolumeOptions: options } = mount;
  if (options) {
    if (Object.keys(labels).length > 0) options.Labels = labels;
    if (options.DriverConfig && driverOptions && Object.keys(driverOptions).length > 0) {
      options.DriverConfig.Options = driverOptions;
    }
    if (options.DriverConfig) options.DriverConfig = withoutZeroes(options.DriverConfig);
    mount.VolumeOptions = withoutZeroes(options);
  }
  if (mount.BindOptions) mount.BindOptions = withoutZeroes(mount.BindOptions);
  if (mount.ImageOptions) mount.ImageOptions = withoutZeroes(mount.ImageOptions);
  if (mount.TmpfsOptions) mount.TmpfsOptions = withoutZeroes(mount.TmpfsOptions);
  return withoutZeroes(mount);
}

function withoutZeroes<T extends object>(value: T): T {
  for (const [key, field] of Object.entries(value)) {
    if (field === false || field === 0 || field === '') Reflect.deleteProperty(value, key);
  }
  return value;
}
