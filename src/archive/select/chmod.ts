import { EngineError } from '#errors';

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const EXECUTE = 0o111;

/** What `--chmod` asks for; {@link applyMode} does it. */
export type ModeChange =
  | { readonly kind: 'octal'; readonly mode: number }
  | { readonly kind: 'symbolic'; readonly clauses: readonly ModeClause[] };

interface ModeClause {
  /** The bits that the clause is about. */
  readonly who: number;
  readonly steps: readonly { readonly operator: string; readonly permissions: string }[];
}

/** @throws {@link EngineError} invalidArgument for what chmod(1) would not take. */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]{1,5}$/.test(text)) return { kind: 'octal', mode: Number.parseInt(text, 8) & 0o7777 };
  const clauses = text.split(',').map((clause): ModeClause => {
    const match = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(clause);
    if (!match) {
      const message = `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`;
      throw new EngineError('invalidArgument', 'INVALID_MODE', message);
    }
    const [, letters = '', actions = ''] = match;
    const who = [...(letters || 'a')].reduce((bits, letter) => bits | (WHO[letter] ?? 0), 0);
    const steps = [...actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, operator = '', permissions = '']) => ({
      operator,
      permissions,
    }));
    return { who, steps };
  });
  return { kind: 'symbolic', clauses };
}

/** The mode after the change. @param mode - permission bits, with set-ID and sticky. */
export function applyMode(change: ModeChange, mode: number, isDirectory: boolean): number {
  if (change.kind === 'octal') return change.mode;
  let result = mode;
  for (const { who, steps } of change.clauses) {
    for (const { operator, permissions } of steps) {
      const bits = permissionBits(permissions, result, isDirectory) & who;
      if (operator === '+') result |= bits;
      else if (operator === '-') result &= ~bits;
      // A directory keeps its set-ID bits, as with chmod(1).
      else result = (result & ~(isDirectory ? who & 0o1777 : who)) | bits;
    }
  }
  return result & 0o7777;
}

function permissionBits(permissions: string, mode: number, isDirectory: boolean): number {
  const copied = { u: mode >> 6, g: mode >> 3, o: mode }[permissions];
  if (copied !== undefined) return (copied & 7) * 0o111;
  let bits = 0;
  for (const letter of permissions) {
    if (letter === 'r') bits |= 0o444;
    else if (letter === 'w') bits |= 0o222;
    else if (letter === 'x') bits |= EXECUTE;
    else if (letter === 'X' && (isDirectory || (mode & EXECUTE) !== 0)) bits |= EXECUTE;
    else if (letter === 's') bits |= 0o6000;
    else if (letter === 't') bits |= 0o1000;
  }
  return bits;
}
