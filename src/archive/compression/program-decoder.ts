import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { isMainThread } from 'node:worker_threads';
import { EngineError } from '#errors';

/** What Node has no decoder for: a program of the host's does it, by its full path, whatever an image brings along. */
const programs = {
  xz: {
    name: 'xz',
    package: 'xz-utils',
    // A dictionary as large as the archive asks for must not cost us the host's memory.
    args: ['--decompress', '--stdout', '--threads=1', '--memlimit-decompress=512MiB'],
  },
  bzip2: { name: 'bzip2', package: 'bzip2', args: ['--decompress', '--stdout'] },
} as const;

export type ProgramCompression = keyof typeof programs;

const directories = ['/usr/bin', '/bin', '/usr/local/bin'];
/** `nobody`: the program reads its input and writes its output, and needs nothing of this host. */
const NOBODY = 65534;

/**
 * Decompresses through a program without privileges.
 *
 * @throws {@link EngineError} unavailable when the program is not installed; invalidArgument with its words for broken or
 * truncated data.
 */
export async function* throughProgram(
  compression: ProgramCompression,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  // Workers have another root, where a program of that name would be somebody else's.
  if (!isMainThread) throw new EngineError('internal', 'ARCHIVE_PROGRAM_THREAD', `${compression} data in a worker`);
  const child = spawn(findProgram(compression), programs[compression].args, {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  const said = text(child.stderr);
  let sourceError: { cause: unknown } | undefined;
  // A program that gives up closes its input: that it did is told by its exit code.
  const fed = pipeline(
    noticeErrors(chunks, (cause) => (sourceError = { cause })),
    child.stdin,
  ).catch(() => undefined);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const exitCode = await ended;
    await fed;
    // Whatever the source threw is what the reader gets.
    if (sourceError !== undefined) await Promise.reject(sourceError.cause);
    if (exitCode !== 0) throw brokenData(compression, await said);
  } finally {
    child.kill('SIGKILL');
    await ended.catch(() => undefined);
  }
}

async function* noticeErrors(chunks: AsyncIterable<Buffer>, notice: (error: unknown) => void): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    notice(error);
    throw error;
  }
}

function findProgram(compression: ProgramCompression): string {
  const { name, package: packageName } = programs[compression];
  const found = directories.map((directory) => `${directory}/${name}`).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new EngineError(
    'unavailable',
    'ARCHIVE_COMPRESSION_UNSUPPORTED',
    `${compression}-compressed archives cannot be read: ${name} is not installed on the host (package ${packageName})`,
  );
}

function brokenData(compression: ProgramCompression, said: string): EngineError {
  const reason =
    said
      .trim()
      .split('\n')[0]
      ?.replace(/^\S+: (\(stdin\): )?/, '') ?? '';
  return new EngineError(
    'invalidArgument',
    'ARCHIVE_COMPRESSION',
    `invalid ${compression} data: ${reason || 'truncated'}`,
  );
}
