/** Filters by name, as a user gives them. */
export type FilterValues = Readonly<Record<string, readonly string[]>>;

export type QueryValue = string | number | boolean | readonly string[] | undefined;
export type Query = Readonly<Record<string, QueryValue>>;

/** `?a=1&b=x` (or nothing); undefined members are left out, lists repeat, true is `1` and false is `0`. */
export function encodeQuery(query: Query | undefined): string {
  if (!query) return '';
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      const text = item === true ? '1' : item === false ? '0' : String(item);
      parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(text)}`);
    }
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** The `filters` parameter of API 1.22 on; undefined without filters, so that the parameter is left out. */
export function encodeFilters(filters: FilterValues): string | undefined {
  const names = Object.keys(filters);
  if (names.length === 0) return undefined;
  const wire: Record<string, Record<string, true>> = {};
  for (const name of names) wire[name] = Object.fromEntries((filters[name] ?? []).map((value) => [value, true]));
  return JSON.stringify(wire);
}
