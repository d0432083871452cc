import { invalidImageArchive } from './errors.ts';

/** Manifests, indexes and configs beyond this are refused (registries draw the line at the same size). */
export const MAX_JSON_BYTES: number = 4 * 1024 * 1024;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws invalidArgument naming `what` when the bytes are no JSON. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as unknown;
  } catch (error) {
    throw invalidImageArchive(`${what} is not valid JSON`, error);
  }
}

/** @throws invalidArgument naming `what` when the bytes are no JSON object. */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  const value = parseJson(bytes, what);
  if (!isObject(value)) throw invalidImageArchive(`${what} is not a JSON object`);
  return value;
}

export function stringOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}

/** The strings of a list; empty for null or absent. @throws invalidArgument naming `what` for anything else. */
export function stringList(value: unknown, what: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw invalidImageArchive(`${what} is not a list of strings`);
  }
  return value;
}
