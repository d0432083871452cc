import { DockerfileProblem } from './source.ts';
import { suggestion } from './suggest.ts';

/** A `RUN --mount`, its variables expanded. */
export interface RunMount {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  /** Stage, image or named context; empty for the main context (bind) or nothing (cache). */
  readonly from: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** tmpfs: upper bound; 0 for none. */
  readonly sizeBytes: number;
  /** cache, secret, ssh. */
  readonly id: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly required: boolean;
  /** secret: the variable to set; empty names it after the id. Undefined: no variable. */
  readonly env: string | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

const types = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
const sharings = ['shared', 'private', 'locked'] as const;
const aliases: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};
const keys = [
  'type',
  'from',
  'source',
  'target',
  'readonly',
  'readwrite',
  'id',
  'sharing',
  'required',
  'size',
  'mode',
  'uid',
  'gid',
  'env',
];
const switches = new Set(['readonly', 'readwrite', 'required']);
const sizeUnits: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** `from` names what the graph is made of, so it cannot depend on variables. @throws DockerfileProblem. */
export function checkMountFrom(text: string): void {
  for (const field of parseCsv(text)) {
    const value = /^from=(.*)$/is.exec(field)?.[1];
    if (value !== undefined && /\$./.test(value)) {
      throw new DockerfileProblem("'from' doesn't support variable expansion, define alias stage instead", field);
    }
  }
}

/** The stage, image or context that a mount is taken from, before anything is expanded; empty for none. */
export function mountFrom(text: string): string {
  return parseCsv(text).flatMap((field) => /^from=(.*)$/is.exec(field)?.[1] ?? [])[0] ?? '';
}

/** Reads a `--mount` value. @throws DockerfileProblem with Docker's texts. */
export function parseMount(text: string, expandValue: (value: string) => string): RunMount {
  const fields = new Map<string, string>();
  for (const field of parseCsv(text)) {
    const equals = field.indexOf('=');
    const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const key = aliases[written] ?? written;
    if (!keys.includes(key)) {
      if (equals < 0) throw new DockerfileProblem(`invalid field '${field}' must be a key=value pair`, field);
      const hint = suggestion(written, [...keys, ...Object.keys(aliases)]);
      throw new DockerfileProblem(`unexpected key '${written}' in '${field}'${hint}`, field);
    }
    if (equals < 0 && !switches.has(key)) {
      throw new DockerfileProblem(`invalid field '${field}' must be a key=value pair`, field);
    }
    fields.set(key, equals < 0 ? 'true' : expandValue(field.slice(equals + 1)));
  }
  const mount = toMount(fields);
  checkMount(mount, fields);
  return mount;
}

function toMount(fields: ReadonlyMap<string, string>): RunMount {
  const type = choice(fields.get('type')?.toLowerCase() ?? 'bind', types, 'mount type');
  return {
    type,
    from: fields.get('from') ?? '',
    source: fields.get('source') ?? '',
    target: fields.get('target') ?? '',
    readOnly: isReadOnly(type, fields),
    sizeBytes: parseSize(fields.get('size')),
    id: fields.get('id') ?? '',
    sharing: choice(fields.get('sharing')?.toLowerCase() ?? 'shared', sharings, 'sharing value'),
    required: parseSwitch(fields, 'required') ?? false,
    env: fields.get('env'),
    mode: parseNumber(fields, 'mode', 8),
    uid: parseNumber(fields, 'uid', 10),
    gid: parseNumber(fields, 'gid', 10),
  };
}

function checkMount({ type, from, source, target, id }: RunMount, fields: ReadonlyMap<string, string>): void {
  const only = (key: string, allowed: readonly string[]): void => {
    if (fields.has(key) && !allowed.includes(type)) {
      throw new DockerfileProblem(`unexpected key '${key}' for mount type '${type}'`, key);
    }
  };
  only('required', ['secret', 'ssh']);
  only('size', ['tmpfs']);
  only('env', ['secret']);
  for (const key of ['mode', 'uid', 'gid']) {
    if (fields.has(key) && (type === 'bind' || type === 'tmpfs')) {
      throw new DockerfileProblem(`${key} not allowed for ${JSON.stringify(type)} type mounts`, key);
    }
  }
  if (fields.has('sharing') && type !== 'cache') {
    throw new DockerfileProblem(`invalid cache sharing set for ${type} mount`, 'sharing');
  }
  if (type !== 'secret') return;
  if (from !== '') throw new DockerfileProblem('secret mount should not have a from', 'from');
  if (source === '' && target === '' && id === '') {
    throw new DockerfileProblem('invalid secret mount. one of source, target required');
  }
  if (source !== '' && id !== '') throw new DockerfileProblem("both source and id can't be set", 'id');
}

function isReadOnly(type: RunMount['type'], fields: ReadonlyMap<string, string>): boolean {
  let readOnly = type !== 'cache' && type !== 'tmpfs';
  // The last one said counts.
  for (const key of fields.keys()) {
    if (key === 'readonly') readOnly = parseSwitch(fields, key) ?? readOnly;
    if (key === 'readwrite') readOnly = !(parseSwitch(fields, key) ?? !readOnly);
  }
  return readOnly;
}

function choice<const T extends string>(value: string, allowed: readonly T[], what: string): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) {
    throw new DockerfileProblem(`unsupported ${what} ${JSON.stringify(value)}${suggestion(value, allowed)}`, value);
  }
  return found;
}

function invalid(key: string, value: string): DockerfileProblem {
  return new DockerfileProblem(`invalid value for ${key}: ${value}`, value);
}

function parseSwitch(fields: ReadonlyMap<string, string>, key: string): boolean | undefined {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw invalid(key, value);
}

function parseNumber(fields: ReadonlyMap<string, string>, key: string, radix: 8 | 10): number | undefined {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  const number = (radix === 8 ? /^[0-7]+$/ : /^\d+$/).test(value) ? Number.parseInt(value, radix) : NaN;
  if (!(number < 2 ** 32)) throw new DockerfileProblem(`invalid value ${value} for ${key}`, value);
  return number;
}

function parseSize(value: string | undefined): number {
  if (value === undefined) return 0;
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])(?:i?b)?|b)?$/i.exec(value);
  if (!match) throw invalid('size', value);
  return Math.floor(Number(match[1]) * 1024 ** (sizeUnits[match[2]?.toLowerCase() ?? 'b'] ?? 0));
}

/** Fields of one line of comma-separated values; a quoted field may hold commas, and a doubled quote stands for one. */
export function parseCsv(text: string): string[] {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/gy;
  for (let end = ','; end === ',';) {
    const match = pattern.exec(text);
    if (!match) throw new DockerfileProblem(`failed to parse csv mounts: bare quote in ${JSON.stringify(text)}`, text);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    end = match[3] ?? '';
  }
  return fields;
}
