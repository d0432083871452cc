const UNLIMITED = '18446744073709551615';

/** A specification as JSON. `Infinity` (no limit) becomes the largest 64-bit number, which no JavaScript number is. */
export function serializeSpec(spec: object): string {
  return JSON.stringify(spec, (_key, value: unknown) =>
    value === Number.POSITIVE_INFINITY ? rawJson(UNLIMITED) : value,
  );
}

/** V8 writes the answer as is; TypeScript's library does not know of it yet. */
function rawJson(text: string): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON(this: void, text: string): unknown };
  return rawJSON(text);
}
