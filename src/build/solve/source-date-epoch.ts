/** `SOURCE_DATE_EPOCH`, seconds since 1970: no time that a build adds is later. Undefined when it is not given or no number. */
export function sourceDateEpoch(buildArgs: ReadonlyMap<string, string>): number | undefined {
  const text = buildArgs.get('SOURCE_DATE_EPOCH');
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
