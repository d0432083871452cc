import { EngineError } from '#errors';
import { decodeDocument, optional, struct, text } from './go-json.ts';

const platform = struct<{ architecture: string; os: string; variant?: string }>({
  architecture: text(),
  os: text(),
  variant: optional(text()),
});

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_PLATFORM', message);
}

/**
 * The `platform` parameter of image routes: an OCI platform as JSON.
 *
 * @returns it as `os/architecture[/variant]`, empty for the empty string.
 * @throws {@link EngineError} invalidArgument when it is no JSON or names no system or architecture.
 */
export function decodePlatform(json: string): string {
  if (json === '') return '';
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw invalid(`failed to parse platform: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { os, architecture, variant } = decodeDocument(platform, parsed);
  if (os === '' && architecture === '' && variant !== undefined) {
    throw invalid('optional platform fields provided, but OS and Architecture are missing');
  }
  if (os === '' || architecture === '') throw invalid('both OS and Architecture must be provided');
  return [os, architecture, variant ?? ''].filter((part) => part !== '').join('/');
}
