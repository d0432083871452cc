import type { oci, Ulimit } from '#spec';

/** A limit; `Infinity` means unlimited. */
export interface Rlimit {
  soft: number;
  hard: number;
}

/** Our own limits, which containers inherit and cannot go beyond, by `--ulimit` names. */
export type HostRlimits = Readonly<Record<string, Rlimit>>;

/** A container's ulimits, cut to what this host allows: raising a hard limit may be forbidden even to root. */
export function buildRlimits(ulimits: readonly Ulimit[], host: HostRlimits): oci.RuntimeRlimit[] {
  return ulimits.map(({ Name, Soft, Hard }) => {
    const ceiling = host[Name.toLowerCase()]?.hard ?? Number.POSITIVE_INFINITY;
    const hard = Math.min(unlimitedBelowZero(Hard), ceiling);
    return { type: `RLIMIT_${Name.toUpperCase()}`, soft: Math.min(unlimitedBelowZero(Soft), hard), hard };
  });
}

function unlimitedBelowZero(value: number): number {
  return value < 0 ? Number.POSITIVE_INFINITY : value;
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

function parseLimit(text: string | undefined): number {
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}
