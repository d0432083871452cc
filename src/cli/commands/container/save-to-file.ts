import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CliError } from '../../framework/errors.ts';
import { goFileError } from '../../run-options/go-values.ts';

/**
 * Writes a stream into a file that appears under its name when it is whole.
 *
 * @throws {@link CliError} when the file cannot be written; the stream's own errors.
 */
export async function saveToFile(path: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  const partial = join(dirname(path), `.tmp-${basename(path)}${process.pid}`);
  const file = await open(partial, 'wx').catch((error: unknown) => {
    throw new CliError(`failed to export container: ${goFileError('open', path, error)}`);
  });
  try {
    for await (const chunk of source) await file.write(chunk);
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw error;
  }
}
