const smallUnits: readonly [bigint, string, number][] = [
  [1n, 'ns', 0],
  [1000n, 'µs', 3],
  [1_000_000n, 'ms', 6],
];

/** A duration in nanoseconds as Go prints it: `1h0m0s`, `1m30s`, `1.5s`, `200ms`. */
export function formatGoDuration(nano: bigint): string {
  if (nano < 0n) return `-${formatGoDuration(-nano)}`;
  if (nano === 0n) return '0s';
  for (const [unit, name, digits] of smallUnits) {
    if (nano < unit * 1000n) return `${decimal(nano, unit, digits)}${name}`;
  }
  const minutes = nano / 60_000_000_000n;
  const seconds = `${decimal(nano % 60_000_000_000n, 1_000_000_000n, 9)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, unit: bigint, digits: number): string {
  const fraction = (value % unit).toString().padStart(digits, '0').replace(/0+$/, '');
  return fraction === '' || digits === 0 ? String(value / unit) : `${value / unit}.${fraction}`;
}
