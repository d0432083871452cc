import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { CliError } from '../../framework/errors.ts';
import { goFileError } from '../../run-options/go-values.ts';

/** The file of `--cidfile`, taken before the container is made. Disposed without an ID it is gone again. */
export interface CidFile extends Disposable {
  write(id: string): void;
}

/** @throws {@link CliError} when the file exists or cannot be made. An empty path is no file. */
export function takeCidFile(path: string): CidFile {
  if (path === '') return { write: () => undefined, [Symbol.dispose]: () => undefined };
  if (existsSync(path)) {
    throw new CliError(`container ID file found, make sure the other container isn't running or delete ${path}`);
  }
  const fd = openNew(path);
  let written = false;
  return {
    write: (id) => {
      writeSync(fd, id);
      written = true;
    },
    [Symbol.dispose]: () => {
      closeSync(fd);
      if (!written) rmSync(path, { force: true });
    },
  };
}

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o666);
  } catch (error) {
    throw new CliError(`failed to create the container ID file: ${goFileError('open', path, error)}`);
  }
}
