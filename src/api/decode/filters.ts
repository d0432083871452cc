import { EngineError } from '#errors';
import type { Filters } from '../routes/containers/backend.ts';

function invalidFilter(): EngineError {
  return new EngineError('invalidArgument', 'INVALID_FILTER', 'invalid filter');
}

function valuesOf(value: unknown): string[] {
  if (value === null) return [];
  if (Array.isArray(value)) {
    const items: unknown[] = value;
    return items.map((item) => {
      if (item === null) return '';
      if (typeof item !== 'string') throw invalidFilter();
      return item;
    });
  }
  if (typeof value !== 'object') throw invalidFilter();
  return Object.entries(value).map(([name, on]) => {
    if (typeof on !== 'boolean' && on !== null) throw invalidFilter();
    return name;
  });
}

/**
 * Docker's `filters` parameter in both its forms, `{"label":{"a":true}}` and the older `{"label":["a"]}`. Which names are
 * allowed is the backend's to say.
 *
 * @throws {@link EngineError} invalidArgument when it is neither.
 */
export function parseFilters(text: string): Filters {
  if (text === '') return new Map();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalidFilter();
  }
  if (parsed === null) return new Map();
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw invalidFilter();
  return new Map(Object.entries(parsed).map(([name, value]) => [name, [...new Set(valuesOf(value))]]));
}
