/** Bits of stat(2)'s mode and what Go's `os.FileMode`, which Docker's API carries, has for them. */
const fileTypeMask = 0o170000;
const goTypes: Readonly<Record<number, number>> = {
  0o040000: 2 ** 31,
  0o120000: 2 ** 27,
  0o060000: 2 ** 26,
  0o020000: 2 ** 26 + 2 ** 21,
  0o010000: 2 ** 25,
  0o140000: 2 ** 24,
};
const goFlags: readonly [number, number][] = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
];

/** stat(2)'s mode as Go writes it. */
export function toGoFileMode(mode: number): number {
  const type = goTypes[mode & fileTypeMask] ?? 0;
  const flags = goFlags.reduce((sum, [bit, goBit]) => sum + ((mode & bit) === 0 ? 0 : goBit), 0);
  return type + flags + (mode & 0o777);
}
