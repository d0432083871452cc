import { EngineError } from '#errors';

/** The archive breaks the tar (or PAX, or compression) format. */
export function invalidArchive(message: string, details: Readonly<Record<string, unknown>> = {}): EngineError {
  return new EngineError('invalidArgument', 'ARCHIVE_INVALID', `invalid tar archive: ${message}`, { details });
}

/** The archive stops in the middle; `unexpected EOF` is what Docker's clients read in that case. */
export function truncatedArchive(where: string): EngineError {
  return new EngineError('invalidArgument', 'ARCHIVE_TRUNCATED', `unexpected EOF: the archive ends ${where}`);
}

/** The archive asks for more than the caller's {@link ArchiveLimits} allow. */
export function archiveLimit(message: string, details: Readonly<Record<string, unknown>>): EngineError {
  return new EngineError('invalidArgument', 'ARCHIVE_LIMIT', `archive exceeds a limit: ${message}`, { details });
}

/** An entry would land, or link to something, outside the directory it is unpacked into. */
export function archiveBreakout(message: string, name: string): EngineError {
  return new EngineError('invalidArgument', 'ARCHIVE_BREAKOUT', message, { details: { name } });
}
