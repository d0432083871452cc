import { EngineError } from '#errors';
import { parseMoment } from '#lib';

/**
 * A `since` or `until`, see {@link parseMoment}.
 *
 * @returns nanoseconds since the epoch, undefined for the empty string and for zero, which mean "no limit".
 * @throws {@link EngineError} invalidArgument otherwise.
 */
export function parseTime(name: string, text: string): bigint | undefined {
  if (text === '') return undefined;
  const moment = parseMoment(text);
  if (moment !== undefined) return moment === 0n ? undefined : moment;
  throw new EngineError(
    'invalidArgument',
    'INVALID_TIME',
    `invalid value for "${name}": failed to parse value as time or duration: ${JSON.stringify(text)}`,
  );
}
