import { type FlagSpec, int, string } from '../../framework/flags.ts';

/** Flags of `stop` and `restart`. */
export const stopFlags: { readonly signal: FlagSpec<string>; readonly timeout: FlagSpec<number> } = {
  signal: string('Signal to send to the container', { short: 's' }),
  timeout: int('Seconds to wait before killing the container', { short: 't', aliases: ['time'] }),
};

/** Their query; what is not given is left to the daemon. */
export function stopQuery(signal: string, timeout: number | undefined): Record<string, string | undefined> {
  return {
    signal: signal === '' ? undefined : signal,
    t: timeout === undefined ? undefined : String(timeout),
  };
}
