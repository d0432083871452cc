import type { HealthConfig } from '#spec';
import { CliError } from '../framework/errors.ts';

/** The `--health-*` flags; times in nanoseconds. */
export interface HealthOptions {
  command: string;
  interval: number;
  timeout: number;
  startPeriod: number;
  startInterval: number;
  retries: number;
  disabled: boolean;
}

/**
 * The health check asked for; undefined leaves the image's.
 *
 * @throws {@link CliError} on negative values, and on settings beside `--no-healthcheck`.
 */
export function parseHealth(options: HealthOptions): HealthConfig | undefined {
  const { command, interval, timeout, startPeriod, startInterval, retries } = options;
  const numbers = { interval, timeout, retries, 'start-period': startPeriod, 'start-interval': startInterval };
  const hasSettings = command !== '' || Object.values(numbers).some((value) => value !== 0);
  if (options.disabled) {
    if (hasSettings) throw new CliError('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!hasSettings) return undefined;
  for (const [name, value] of Object.entries(numbers)) {
    if (value < 0) throw new CliError(`--health-${name} cannot be negative`);
  }
  return {
    ...(command === '' ? {} : { Test: ['CMD-SHELL', command] }),
    ...(interval === 0 ? {} : { Interval: interval }),
    ...(timeout === 0 ? {} : { Timeout: timeout }),
    ...(startPeriod === 0 ? {} : { StartPeriod: startPeriod }),
    ...(startInterval === 0 ? {} : { StartInterval: startInterval }),
    ...(retries === 0 ? {} : { Retries: retries }),
  };
}
