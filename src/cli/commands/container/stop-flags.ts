import type { CliContext } from '../../context.ts';
import { type FlagSpec, int, string } from '../../framework/flags.ts';

/** What the flags of `stop` and `restart` come to. */
export interface StopFlags {
  signal: string;
  /** The old name of `timeout`. */
  time: number;
  timeout: number;
}

/** Flags of `stop` and `restart`. */
export const stopFlags: { readonly [K in keyof StopFlags]: FlagSpec<StopFlags[K]> } = {
  signal: string('Signal to send to the container', { short: 's' }),
  time: int('Seconds to wait before killing the container', { hidden: true }),
  timeout: int('Seconds to wait before killing the container', { short: 't' }),
};

/** Their query; what is not given is left to the daemon. */
export function stopQuery(
  ctx: CliContext,
  flags: Readonly<StopFlags>,
  given: (name: keyof StopFlags) => boolean,
): Record<string, string | undefined> {
  if (given('time')) ctx.err('Flag --time has been deprecated, use --timeout instead\n');
  const timeout = given('timeout') ? flags.timeout : given('time') ? flags.time : undefined;
  return {
    signal: flags.signal === '' ? undefined : flags.signal,
    t: timeout === undefined ? undefined : String(timeout),
  };
}
