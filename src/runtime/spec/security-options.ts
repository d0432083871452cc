import { EngineError } from '#errors';

export interface SecurityOptions {
  noNewPrivileges: boolean;
  /** `unconfined`, `builtin`, or a profile's JSON text (clients send the file's content); undefined is the default. */
  seccompProfile: string | undefined;
  /** Undefined is the default. */
  apparmorProfile: string | undefined;
  /** SELinux label parts, as given. */
  labels: string[];
  /** Undefined: only when privileged. */
  writableCgroups: boolean | undefined;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map(
  Object.entries({ 1: true, t: true, T: true, true: true, TRUE: true, True: true }).concat(
    Object.entries({ 0: false, f: false, F: false, false: false, FALSE: false, False: false }),
  ),
);

/** Reads `HostConfig.SecurityOpt`. @throws invalidArgument with Docker's text for a word it does not know. */
export function parseSecurityOptions(words: readonly string[]): SecurityOptions {
  const options: SecurityOptions = {
    noNewPrivileges: false,
    seccompProfile: undefined,
    apparmorProfile: undefined,
    labels: [],
    writableCgroups: undefined,
  };
  for (const word of words) applyWord(options, word);
  return options;
}

function applyWord(options: SecurityOptions, word: string): void {
  if (word === 'no-new-privileges') {
    options.noNewPrivileges = true;
    return;
  }
  if (word === 'writable-cgroups') {
    options.writableCgroups = true;
    return;
  }
  if (word === 'disable') {
    options.labels.push(word);
    return;
  }
  // The old form with a colon still comes from old clients.
  const separator = word.includes('=') ? '=' : ':';
  const at = word.indexOf(separator);
  if (at < 0) throw invalid(1, word);
  const key = word.slice(0, at);
  const value = word.slice(at + 1);
  if (key === 'label') options.labels.push(value);
  else if (key === 'apparmor') options.apparmorProfile = value;
  else if (key === 'seccomp') options.seccompProfile = value;
  else if (key === 'no-new-privileges') options.noNewPrivileges = parseBoolean(value, word);
  else if (key === 'writable-cgroups') options.writableCgroups = parseBoolean(value, word);
  else throw invalid(2, word);
}

function parseBoolean(value: string, word: string): boolean {
  const parsed = BOOLEANS.get(value);
  if (parsed === undefined) throw invalid(2, word);
  return parsed;
}

function invalid(place: 1 | 2, word: string): EngineError {
  return new EngineError(
    'invalidArgument',
    'INVALID_SECURITY_OPT',
    `invalid --security-opt ${place}: ${JSON.stringify(word)}`,
  );
}
