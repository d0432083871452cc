import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isErrno } from '#lib';

/** Trees up to this many entries go at once in this thread; it takes well under a millisecond. */
const SMALL_TREE_ENTRIES = 48;

function countUpTo(path: string, budget: number): number {
  let count = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    count += 1;
    if (count > budget) return count;
    if (entry.isDirectory()) count += countUpTo(join(path, entry.name), budget - count);
    if (count > budget) return count;
  }
  return count;
}

function isSmall(path: string): boolean {
  try {
    return countUpTo(path, SMALL_TREE_ENTRIES) <= SMALL_TREE_ENTRIES;
  } catch (error) {
    // A plain file or nothing is small; names that are no UTF-8 or too deep are the native removal's business.
    return isErrno(error, 'ENOTDIR') || (isErrno(error, 'ENOENT') && !isDirectory(path));
  }
}

function isDirectory(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Removes a file or a whole tree, whatever a container made of it: any depth, names of any bytes, never through a link.
 * Absent is fine. Large trees are removed by a thread of their own, since Node's native removal is synchronous (and its
 * asynchronous one fails on deep paths and odd names).
 */
export async function removeTree(path: string): Promise<void> {
  if (isSmall(path)) {
    rmSync(path, { recursive: true, force: true });
    return;
  }
  const worker = new Worker(
    new URL(`./remove-tree-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    {
      workerData: { path },
    },
  );
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}
