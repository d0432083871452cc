import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from '#lib';

const lookEveryMs = 2000;

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

export function readTlsFiles(files: TlsFiles): SecureContextOptions {
  return { cert: readFileSync(files.certificate), key: readFileSync(files.key), minVersion: 'TLSv1.2' };
}

/**
 * Hands changed files to `apply`; connections that are open go on with the old ones. A pair that does not fit, as while it
 * is being replaced, is told and left for the next look.
 */
export function watchTlsFiles(
  files: TlsFiles,
  apply: (options: SecureContextOptions) => void,
  logger: Logger,
): Disposable {
  const version = (): string =>
    [files.certificate, files.key]
      .map((path) => statSync(path))
      .map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`)
      .join(' ');
  let applied = version();
  const timer = setInterval(() => {
    try {
      const now = version();
      if (now === applied) return;
      const options = readTlsFiles(files);
      createSecureContext(options);
      apply(options);
      applied = now;
      logger.info('TLS certificate loaded', { certificate: files.certificate });
    } catch (error) {
      logger.warn('TLS certificate not loaded', { certificate: files.certificate, error });
    }
  }, lookEveryMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
