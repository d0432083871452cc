import { EngineError } from '#errors';
import { parseMoment } from '#lib';

/**
 * Prune's filter `until`: nanoseconds since the epoch.
 *
 * @throws invalidArgument when it is neither time nor duration.
 */
export function parseUntil(text: string): bigint {
  const moment = parseMoment(text);
  if (moment !== undefined) return moment;
  throw new EngineError(
    'invalidArgument',
    'INVALID_FILTER',
    `invalid filter 'until=${text}': failed to parse value as time or duration`,
  );
}
