import { CliError } from '../framework/errors.ts';
import { type CopySide, splitEntry } from './paths.ts';

/** Where an archive of the source is to be unpacked, and what its topmost name becomes on the way. */
export interface CopyPlan {
  readonly directory: string;
  readonly rename?: { readonly from: string; readonly to: string };
}

/**
 * Decides as `cp -a` does: into an existing directory, else under the destination's name.
 *
 * @throws {@link CliError} when a directory would replace a file, or a file is to become a directory.
 */
export function planCopy(source: CopySide, destination: CopySide): CopyPlan {
  if (destination.exists && destination.isDirectory) return { directory: destination.path };
  if (destination.exists && source.isDirectory) throw new CliError('cannot copy directory');
  const { directory, base } = splitEntry(destination.path);
  const assertsDirectory = destination.path.endsWith('/') || base === '.';
  if (!destination.exists && !source.isDirectory && assertsDirectory) throw new CliError('no such directory');
  const from = source.rebaseName ?? splitEntry(source.path).base;
  return { directory, rename: { from: from === '/' ? '' : from, to: base } };
}
