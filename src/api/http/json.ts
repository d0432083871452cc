declare global {
  interface JSON {
    /** ECMAScript's raw JSON text, which TypeScript's library does not know yet. */
    rawJSON(text: string): unknown;
  }
}

/** `value` as JSON; a bigint is written digit by digit, since the wire's int64 do not fit a double. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint' ? JSON.rawJSON(item.toString()) : item,
  );
}
