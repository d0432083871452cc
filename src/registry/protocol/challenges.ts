/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case. The first of several of one name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const tokenPattern = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const token68Pattern = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;
const parameterPattern = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))/y;
const separatorPattern = /[\s,]*/y;

/**
 * Splits a `WWW-Authenticate` header (several of them joined by commas, as Node does) into its challenges.
 * What cannot be read ends the parsing; what came before it counts.
 *
 * @see RFC 9110, 11.6.1
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match ?? undefined;
  };
  for (;;) {
    take(separatorPattern);
    const scheme = take(tokenPattern)?.[0];
    if (scheme === undefined) return challenges;
    const parameters = new Map<string, string>();
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    take(separatorPattern);
    if (nextIsParameter(header, at)) {
      readParameters(parameters, take);
    } else if (/\s/.test(header[at - 1] ?? '')) {
      take(token68Pattern);
    }
  }
}

function nextIsParameter(header: string, at: number): boolean {
  parameterPattern.lastIndex = at;
  const match = parameterPattern.exec(header);
  if (!match) return false;
  // `abc==` is a token68, not a parameter without value.
  return !(match[2] === undefined && match[3]?.startsWith('=') === true);
}

function readParameters(parameters: Map<string, string>, take: (pattern: RegExp) => RegExpExecArray | undefined): void {
  for (let match = take(parameterPattern); match !== undefined; match = take(parameterPattern)) {
    const [, name = '', quoted, plain = ''] = match;
    const value = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1');
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
    take(separatorPattern);
  }
}

/** Writes a challenge: `Bearer realm="https://…",service="…"`. Values are quoted; quotes and backslashes in them escaped. */
export function formatChallenge(scheme: string, parameters: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}="${value.replaceAll(/(["\\])/g, '\\$1')}"`);
  return pairs.length === 0 ? scheme : `${scheme} ${pairs.join(',')}`;
}
