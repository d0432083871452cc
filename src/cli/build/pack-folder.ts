import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { PathPatterns } from '#spec';
import { CliError } from '../framework/index.ts';

/**
 * What of a folder is sent: all that no pattern leaves out, folders before what is in them.
 *
 * @param always - paths that are sent whatever the patterns say.
 */
export function* listFolder(
  folder: string,
  ignore: readonly string[],
  always: ReadonlySet<string>,
): Generator<string, void, void> {
  const patterns = new PathPatterns(ignore);
  yield* listBelow(folder, '', patterns, always);
}

function* listBelow(
  folder: string,
  below: string,
  patterns: PathPatterns,
  always: ReadonlySet<string>,
): Generator<string, void, void> {
  const entries = readdirSync(join(folder, below), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    const isIgnored = !patterns.isEmpty && patterns.matches(path) && !always.has(path);
    if (!entry.isDirectory()) {
      if (!isIgnored) yield path;
      continue;
    }
    const holdsWanted = patterns.hasExceptions || [...always].some((wanted) => wanted.startsWith(`${path}/`));
    if (isIgnored && !holdsWanted) continue;
    const inside = listBelow(folder, path, patterns, always);
    const first = inside.next();
    // A folder that is left out comes along for what it holds.
    if (isIgnored && first.done === true) continue;
    yield path;
    if (first.done !== true) yield first.value;
    yield* inside;
  }
}

/** An archive of these paths of a folder, all root's. @throws CliError with tar's words. */
export async function* packFolder(folder: string, paths: Iterable<string>): AsyncGenerator<Buffer, void, void> {
  const layout = ['--format=pax', '--blocking-factor=128', '--numeric-owner', '--owner=0', '--group=0'];
  const list = ['--no-recursion', '--null', '--verbatim-files-from', '--files-from=-'];
  const child = spawn('tar', ['-c', ...layout, '-C', folder, ...list], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', TAR_OPTIONS: '' },
  });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const ended = Promise.withResolvers<number | null>();
  child.once('error', (error) => ended.reject(new CliError(`cannot run tar: ${error.message}`)));
  child.once('close', ended.resolve);
  ended.promise.catch(() => undefined);
  // When tar gives up, its reason is the one to tell.
  const listing = pipeline(Readable.from(nameList(paths)), child.stdin).catch(() => undefined);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    await listing;
    const code = await ended.promise;
    // 1: a file changed while it was read.
    if (code !== 0 && code !== 1) throw new CliError(Buffer.concat(complaints).toString().trim() || 'tar failed');
  } finally {
    child.kill();
  }
}

function* nameList(paths: Iterable<string>): Generator<string, void, void> {
  for (const path of paths) yield `${path}\0`;
}
