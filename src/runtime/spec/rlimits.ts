import { EngineError } from '#errors';
import type { oci, Ulimit } from '#spec';

/** A limit; `Infinity` means unlimited. */
export interface Rlimit {
  soft: number;
  hard: number;
}

/** Our own limits, which containers inherit and cannot go beyond, by `--ulimit` names. */
export type HostRlimits = Readonly<Record<string, Rlimit>>;

/**
 * A container's ulimits; an unlimited one is cut to what this host allows.
 *
 * @param mayRaise - whether we may go beyond our own hard limits, which can be forbidden even to root.
 * @throws invalidArgument for a number that cannot be reached.
 */
export function buildRlimits(ulimits: readonly Ulimit[], host: HostRlimits, mayRaise: boolean): oci.RuntimeRlimit[] {
  return ulimits.map(({ Name, Soft, Hard }) => {
    const name = Name.toLowerCase();
    const own = host[name]?.hard ?? Number.POSITIVE_INFINITY;
    const asked = Math.max(Soft, Hard);
    if (asked > own && !mayRaise) {
      throw new EngineError(
        'invalidArgument',
        'ULIMIT_ABOVE_HOST',
        `ulimit ${name}: ${asked} is above the hard limit of the engine, ${own}, which it may not raise`,
      );
    }
    // Open files are the one limit that is never unlimited.
    const unlimited = mayRaise && name !== 'nofile' ? Number.POSITIVE_INFINITY : own;
    const hard = Hard < 0 ? unlimited : Hard;
    return { type: `RLIMIT_${name.toUpperCase()}`, soft: Soft < 0 ? hard : Math.min(Soft, hard), hard };
  });
}

/** Reads `/proc/<pid>/limits`. */
export function parseProcLimits(text: string): Record<string, Rlimit> {
  const limits: Record<string, Rlimit> = {};
  for (const line of text.split('\n')) {
    const match = /^(Max .+?) {2,}(\S+) +(\S+)/.exec(line);
    const name = match && NAMES[match[1] ?? ''];
    if (name) limits[name] = { soft: parseLimit(match[2]), hard: parseLimit(match[3]) };
  }
  return limits;
}

const NAMES: Readonly<Record<string, string>> = {
  'Max cpu time': 'cpu',
  'Max file size': 'fsize',
  'Max data size': 'data',
  'Max stack size': 'stack',
  'Max core file size': 'core',
  'Max resident set': 'rss',
  'Max processes': 'nproc',
  'Max open files': 'nofile',
  'Max locked memory': 'memlock',
  'Max address space': 'as',
  'Max file locks': 'locks',
  'Max pending signals': 'sigpending',
  'Max msgqueue size': 'msgqueue',
  'Max nice priority': 'nice',
  'Max realtime priority': 'rtprio',
  'Max realtime timeout': 'rttime',
};

/** The names that `--ulimit` takes. */
export const ulimitNames: readonly string[] = Object.values(NAMES);

function parseLimit(text: string | undefined): number {
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}
