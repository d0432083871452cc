import { type ApiClient, ApiError, type ApiResponse } from '#client';

/** What the daemon tells about a path in a container. */
export interface PathStat {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
  readonly isDevice: boolean;
  readonly linkTarget: string;
}

/** Bits of Go's `os.FileMode`. */
const modeDirectory = 2 ** 31;
const modeSymlink = 2 ** 27;
const modeDevice = 2 ** 26;

function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

/** The stat in the header of an archive answer. */
export function statOf(response: ApiResponse): PathStat {
  const header = response.headers.get('x-docker-container-path-stat') ?? '';
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the daemon's answers are trusted to have their shape */
  const stat = JSON.parse(Buffer.from(header, 'base64').toString('utf8') || '{}') as {
    name?: string;
    mode?: number;
    linkTarget?: string;
  };
  const mode = stat.mode ?? 0;
  return {
    name: stat.name ?? '',
    isDirectory: hasBit(mode, modeDirectory),
    isSymlink: hasBit(mode, modeSymlink),
    isDevice: hasBit(mode, modeDevice),
    linkTarget: stat.linkTarget ?? '',
  };
}

/** Asks for the stat of a path; undefined if it is not there. */
export async function statPath(client: ApiClient, container: string, path: string): Promise<PathStat | undefined> {
  try {
    const response = await client.send({
      method: 'HEAD',
      path: `/containers/${encodeURIComponent(container)}/archive`,
      query: { path },
    });
    await response.discard();
    return statOf(response);
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}
