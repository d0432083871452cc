import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ApiResponse } from '#client';
import { isErrno } from '#lib';
import type { CliContext } from '../context.ts';
import { CliError } from '../framework/errors.ts';
import { fileError } from '../framework/files.ts';
import { BrokenPipeError } from '../io.ts';

/**
 * Writes an answer's body to a file, or to standard output when `path` is empty. The file appears whole or not at all.
 *
 * @throws CliError when the file cannot be written.
 */
export async function saveTo(ctx: CliContext, response: ApiResponse, path: string): Promise<void> {
  if (path === '') {
    await saveToStdout(ctx, response);
    return;
  }
  const folder = dirname(path);
  if (!existsSync(folder)) {
    throw new CliError(`failed to save image: invalid output path: stat ${folder}: no such file or directory`);
  }
  const partial = join(folder, `.tmp-${basename(path)}-${process.pid}`);
  try {
    await pipeline(response, createWriteStream(partial, { mode: 0o600 }));
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw fileError('open', path, error);
  }
}

async function saveToStdout(ctx: CliContext, response: ApiResponse): Promise<void> {
  const { stdout } = ctx.io;
  try {
    for await (const chunk of response) {
      if (!stdout.write(chunk)) await once(stdout, 'drain');
    }
  } catch (error) {
    if (isErrno(error, 'EPIPE')) throw new BrokenPipeError('broken pipe', { cause: error });
    throw error;
  }
}
