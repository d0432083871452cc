import { readFileSync } from 'node:fs';

/** A command line of `create`, without the image. */
export interface OptionCase {
  line: string;
  args: string[];
}

/** What Docker's client makes of it: members of the request unlike the plain one's, by path, or its error. */
export type Expectation = { body: Record<string, unknown> } | { error: string };

/** Reads one case per line: words apart by blanks, quoted in `'…'` to hold blanks or nothing; `#` starts a comment. */
export function readCases(path: string): OptionCase[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ line, args: splitWords(line) }));
}

function splitWords(line: string): string[] {
  const words = line.match(/(?:'[^']*'|[^\s'])+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'/g, '$1').replaceAll('\\n', '\n'));
}

/** Leaves of `changed` unlike those of `base`, by dotted path two levels deep; `null` stands for one that is gone. */
export function differences(base: unknown, changed: unknown): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const before = flatten(base);
  const after = flatten(changed);
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    if (JSON.stringify(sorted(before.get(path))) !== JSON.stringify(sorted(after.get(path)))) {
      found[path] = after.get(path) ?? null;
    }
  }
  return found;
}

function flatten(body: unknown): Map<string, unknown> {
  const members = new Map<string, unknown>();
  for (const [name, value] of Object.entries(asRecord(body))) {
    if (name === 'HostConfig' || name === 'NetworkingConfig') {
      for (const [inner, leaf] of Object.entries(asRecord(value)))
        members.set(`${name}.${inner}`, inOrder(inner, leaf));
    } else {
      members.set(name, inOrder(name, value));
    }
  }
  return members;
}

/** Docker's client keeps variables and binds in maps, so that their order is random. */
function inOrder(name: string, value: unknown): unknown {
  return (name === 'Env' || name === 'Binds') && Array.isArray(value)
    ? value.map(String).toSorted((a, b) => (a < b ? -1 : 1))
    : value;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** The same value with members in one order, so that texts can be compared. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
