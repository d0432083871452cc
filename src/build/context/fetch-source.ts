import type { Sys } from '#sys';
import type { FetchedTree, FetchSource } from '../contract.ts';
import type { ContextFolders } from './context-folders.ts';
import { download } from './download.ts';
import { cloneRepository } from './git-clone.ts';
import { parseGitUrl } from './git-url.ts';

/** Fetches what ADD names by address, into folders that go when their step is done. */
export function createFetchSource(folders: ContextFolders, sys: Pick<Sys, 'files'>): FetchSource {
  return async (source, signal): Promise<FetchedTree> => {
    await using undo = new AsyncDisposableStack();
    const folder = undo.use(await folders.create());
    if (source.kind === 'http') {
      const { name, digest } = await download(source.url, folder.path, { checksum: source.checksum, signal });
      undo.move();
      return { root: folder.path, file: name, digest, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
    }
    const parsed = parseGitUrl(source.url);
    const reference = source.checksum === '' ? parsed : { ...parsed, checksum: source.checksum };
    const { keepGitDir } = source;
    const { root, commit } = await cloneRepository(reference, folder.path, { keepGitDir, sys, signal });
    undo.move();
    return { root, file: undefined, digest: commit, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  };
}
