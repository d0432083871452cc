import { existsSync, lutimesSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { RootFiles } from '#runtime';
import type { Sys } from '#sys';
import { runGit } from './git-program.ts';
import type { GitReference } from './git-url.ts';

export interface Clone {
  /** The files that are wanted. */
  readonly root: string;
  /** Name of the commit. */
  readonly commit: string;
}

/**
 * Fetches what is wanted of a repository into an empty folder.
 *
 * @throws invalidArgument when it is another commit than expected, or the folder is not in it; internal with git's words.
 */
export async function cloneRepository(
  reference: GitReference,
  folder: string,
  options: { keepGitDir: boolean; sys: Pick<Sys, 'files'>; signal: AbortSignal },
): Promise<Clone> {
  const { signal } = options;
  const git = (...args: string[]): Promise<string> => runGit(folder, args, signal);
  await git('init', '--quiet', '.');
  await git('remote', 'add', 'origin', reference.url);
  const wanted = await fetchCommit(reference, git);
  await git('checkout', '--quiet', '--detach', wanted);
  const commit = (await git('rev-parse', 'HEAD')).trim();
  if (!commit.startsWith(reference.checksum)) {
    throw new EngineError(
      'invalidArgument',
      'GIT_CHECKSUM',
      `expected checksum to match ${reference.checksum}, got ${commit}`,
    );
  }
  if (reference.submodules && existsSync(join(folder, '.gitmodules'))) {
    await git('submodule', 'update', '--quiet', '--init', '--recursive', '--depth=1');
  }
  const seconds = Number((await git('show', '--no-patch', '--format=%ct', 'HEAD')).trim());
  if (!(reference.keepGitDir ?? options.keepGitDir)) await removeGitDirectories(folder, options.sys);
  if (reference.commitTimes) setTimes(folder, seconds, options.sys);
  return { root: wantedFolder(folder, reference.subdirectory, options.sys), commit };
}

type Git = (...args: string[]) => Promise<string>;

/** Fetches as little as the server lets us; answers what to check out. */
async function fetchCommit({ ref, kind }: GitReference, git: Git): Promise<string> {
  const name = kind === 'branch' ? `refs/heads/${ref}` : kind === 'tag' ? `refs/tags/${ref}` : ref || 'HEAD';
  try {
    await git('fetch', '--quiet', '--depth=1', '--no-tags', 'origin', name);
    return 'FETCH_HEAD';
  } catch (error) {
    if (!/^[0-9a-f]{7,64}$/.test(ref)) throw error;
    // Servers need not give out single commits, and none does by a short name.
    await git('fetch', '--quiet', 'origin', '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*');
    return ref;
  }
}

async function removeGitDirectories(folder: string, sys: Pick<Sys, 'files'>): Promise<void> {
  const found = [join(folder, '.git')];
  if (existsSync(join(folder, '.gitmodules'))) {
    for (const { path } of sys.files.walkTree(folder)) {
      if (/(?:^|\/)\.git$/.test(path.toString('latin1'))) found.push(join(folder, path.toString()));
    }
  }
  for (const path of found) await rm(path, { recursive: true, force: true });
}

function setTimes(folder: string, seconds: number, sys: Pick<Sys, 'files'>): void {
  for (const { fullPath } of sys.files.walkTree(folder)) lutimesSync(fullPath, seconds, seconds);
}

function wantedFolder(folder: string, subdirectory: string, sys: Pick<Sys, 'files'>): string {
  if (subdirectory === '') return folder;
  using files = new RootFiles(folder, sys.files);
  const found = files.resolveDirectory(`/${subdirectory}`);
  if (found !== undefined) return join(folder, found);
  throw new EngineError('invalidArgument', 'GIT_FOLDER', `subdirectory ${JSON.stringify(subdirectory)} not found`);
}
