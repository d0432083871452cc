import { type ChildProcess, spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { CliError } from '../framework/errors.ts';
import type { CopyPlan } from './plan.ts';

type Rename = CopyPlan['rename'];

/** A running `tar` whose complaints are kept. */
interface TarProcess {
  readonly child: ChildProcess;
  /** @throws {@link CliError} with tar's own words. */
  readonly done: Promise<void>;
}

function runTar(args: readonly string[], stdio: ['pipe', 'ignore', 'pipe'] | ['ignore', 'pipe', 'pipe']): TarProcess {
  const child = spawn('tar', args, { stdio, env: { ...process.env, LC_ALL: 'C', TAR_OPTIONS: '' } });
  const complaints: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk));
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(new CliError(`cannot run tar: ${error.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new CliError(Buffer.concat(complaints).toString().trim() || `tar failed with status ${code}`));
    });
  });
  done.catch(() => undefined);
  return { child, done };
}

/** Renames the topmost directory or file of an archive, hard links to it too; targets of symbolic links stay. */
function renameOptions(rename: Rename): string[] {
  if (!rename || rename.from === rename.to) return [];
  const to = rename.to.replace(/[\\&|]/g, String.raw`\$&`);
  if (rename.from === '') return [`--transform=flags=rSh;s|^/*|${to}/|`];
  const from = rename.from.replace(/[\\.*^$[\]|]/g, String.raw`\$&`);
  return [`--transform=flags=rSh;s|^${from}\\(/\\|$\\)|${to}\\1|`];
}

/** Packs `base` in `directory`, streaming the archive; owners go out as numbers. */
export async function* packEntry(directory: string, base: string, rename: Rename): AsyncGenerator<Buffer, void, void> {
  const names = renameOptions(rename);
  const layout = ['--format=pax', '--blocking-factor=1', '--numeric-owner', '--xattrs-include=security.capability'];
  const { child, done } = runTar(['-c', ...layout, ...names, '-C', directory, '--', base], ['ignore', 'pipe', 'pipe']);
  try {
    if (child.stdout) yield* child.stdout;
    await done;
  } finally {
    child.kill();
  }
}

/** Unpacks an archive by a plan; the files belong to the user. */
export async function unpackInto(archive: AsyncIterable<Uint8Array>, plan: CopyPlan): Promise<void> {
  const options = ['--no-same-owner', '--same-permissions', '--delay-directory-restore'];
  const { child, done } = runTar(
    ['-x', ...options, ...renameOptions(plan.rename), '-C', plan.directory],
    ['pipe', 'ignore', 'pipe'],
  );
  if (!child.stdin) return await done;
  try {
    await pipeline(archive, child.stdin);
  } catch (error) {
    // When tar gave up, its reason is the one to tell.
    await done;
    throw error;
  }
  await done;
}
