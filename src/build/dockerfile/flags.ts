import { DockerfileProblem } from './source.ts';
import { suggestion } from './suggest.ts';

type FlagKind = 'bool' | 'string' | 'strings';
type FlagValue<K extends FlagKind> = K extends 'bool'
  ? boolean | undefined
  : K extends 'string'
    ? string
    : readonly string[];

/**
 * Reads the flags of an instruction. What was not given is undefined (switch), empty (text) or an empty list.
 *
 * @throws DockerfileProblem with Docker's texts.
 */
export function parseFlags<const S extends Readonly<Record<string, FlagKind>>>(
  given: readonly string[],
  spec: S,
): { [Name in keyof S]: FlagValue<S[Name]> } {
  const values = new Map<string, boolean | string | string[]>();
  for (const flag of given) {
    const equals = flag.indexOf('=');
    const written = equals < 0 ? flag : flag.slice(0, equals);
    const name = written.slice(2);
    const value = equals < 0 ? undefined : flag.slice(equals + 1);
    const kind = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (kind === undefined) {
      throw new DockerfileProblem(`unknown flag: ${written}${suggestion(name, Object.keys(spec))}`, written);
    }
    if (values.has(name) && kind !== 'strings') {
      throw new DockerfileProblem(`duplicate flag specified: ${written}`, written);
    }
    values.set(name, parseValue(kind, written, value, values.get(name)));
  }
  const empty = { bool: undefined, string: '', strings: [] };
  const entries = Object.entries(spec).map(([name, kind]) => [name, values.get(name) ?? empty[kind]]);
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each name of the spec, of its kind */
  return Object.fromEntries(entries) as { [Name in keyof S]: FlagValue<S[Name]> };
}

function parseValue(
  kind: FlagKind,
  written: string,
  value: string | undefined,
  before: boolean | string | string[] | undefined,
): boolean | string | string[] {
  if (kind === 'bool') return parseSwitch(written, value);
  if (value === undefined) throw new DockerfileProblem(`missing a value on flag: ${written}`, written);
  return kind === 'string' ? value : [...(Array.isArray(before) ? before : []), value];
}

function parseSwitch(written: string, value: string | undefined): boolean {
  if (value === '') throw new DockerfileProblem(`missing a value on flag: ${written}`, written);
  const text = (value ?? 'true').toLowerCase();
  if (text === 'true' || text === 'false') return text === 'true';
  throw new DockerfileProblem(`expecting boolean value for flag ${written}, not: ${value ?? ''}`, written);
}
