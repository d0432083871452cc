import { parsePlatform } from '#spec';

/** The `platform` parameter as newer calls take it, a JSON object; nothing when no platform was asked for. */
export function platformQuery(text: string): { platform?: string } {
  return text === '' ? {} : { platform: JSON.stringify(parsePlatform(text)) };
}
