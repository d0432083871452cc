import { DockerfileProblem } from './source.ts';

/** What the comments at the top of a Dockerfile say to its reader. */
export interface Directives {
  /** `# syntax=`: the frontend image asked for. Its language is built in here, so it is only remembered. */
  readonly syntax?: string | undefined;
  /** `# escape=`: a backslash unless told otherwise. */
  readonly escape: '\\' | '`';
  /** `# check=`. */
  readonly check: CheckDirective;
}

/** `# check=skip=A,B;error=true;experimental=all`. */
export interface CheckDirective {
  /** Rules not looked at; `all` for none. */
  readonly skip: ReadonlySet<string> | 'all';
  /** Warnings fail the build. */
  readonly error: boolean;
  /** Experimental rules that are looked at. */
  readonly experimental: ReadonlySet<string> | 'all';
}

export const noChecks: CheckDirective = { skip: new Set(), error: false, experimental: new Set() };

const directivePattern = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const slashPattern = /^\/\/\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const known = new Set(['syntax', 'escape', 'check']);

/**
 * Reads the directives: comments of that form before everything else, each name once.
 *
 * @throws DockerfileProblem with `line` as its place.
 */
export function readDirectives(lines: readonly string[]): { directives: Directives; lineCount: number } {
  const found = new Map<string, string>();
  let lineCount = 0;
  for (const line of lines) {
    const match = directivePattern.exec(line.trimStart());
    const name = match?.[1]?.toLowerCase() ?? '';
    if (!match || !known.has(name)) break;
    if (found.has(name)) throw new DirectiveProblem(`only one ${name} parser directive can be used`, lineCount + 1);
    found.set(name, match[2] ?? '');
    lineCount += 1;
  }
  const escape = found.get('escape') ?? '\\';
  if (escape !== '\\' && escape !== '`') {
    throw new DirectiveProblem(
      `invalid escape token '${escape}' does not match \` or \\`,
      [...found.keys()].indexOf('escape') + 1,
    );
  }
  const check = found.get('check');
  return {
    directives: {
      syntax: found.get('syntax') ?? otherSyntax(lines),
      escape,
      check: check === undefined ? noChecks : parseCheck(check),
    },
    lineCount,
  };
}

/** A directive that cannot be used, and its line. */
export class DirectiveProblem extends DockerfileProblem {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** The syntax may also stand in a `//` comment or as a JSON object, for files of other languages; a `#!` line before it is fine. */
function otherSyntax(lines: readonly string[]): string | undefined {
  const [first = ''] = lines[0]?.startsWith('#!') === true ? lines.slice(1) : lines;
  const slash = slashPattern.exec(first);
  if (slash?.[1]?.toLowerCase() === 'syntax') return slash[2];
  if (!first.trimStart().startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(lines.join('\n'));
    return typeof parsed === 'object' && parsed !== null && 'syntax' in parsed ? String(parsed.syntax) : undefined;
  } catch {
    return undefined;
  }
}

/** @throws DockerfileProblem for an option that there is not. Also the value of `BUILDKIT_DOCKERFILE_CHECK`. */
export function parseCheck(text: string): CheckDirective {
  let check = noChecks;
  for (const option of text.split(';')) {
    const [rawKey = '', ...rest] = option.split('=');
    const key = rawKey.trim();
    if (rest.length === 0)
      throw new DockerfileProblem(`invalid check option ${JSON.stringify(option)}: missing value`, option);
    const value = rest.join('=').trim();
    const names = value.split(',').map((name) => name.trim());
    const rules = value === 'all' ? ('all' as const) : new Set(names);
    if (key === 'skip') check = { ...check, skip: rules };
    else if (key === 'experimental') check = { ...check, experimental: rules };
    else if (key === 'error') check = { ...check, error: parseBoolean(value) };
    else throw new DockerfileProblem(`invalid check option ${JSON.stringify(key)}`, key);
  }
  return check;
}

function parseBoolean(text: string): boolean {
  if (['1', 't', 'true'].includes(text.toLowerCase())) return true;
  if (['0', 'f', 'false'].includes(text.toLowerCase())) return false;
  throw new DockerfileProblem(`invalid boolean ${JSON.stringify(text)} of the check option "error"`, text);
}
