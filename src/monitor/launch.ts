import type { LaunchRequest } from './contract.ts';
import { type ConmonPlace, launched, type LaunchedConmon, startConmon } from './conmon-process.ts';

/**
 * Starts conmon, which becomes a daemon of its own, and waits until the runtime under it has created the container.
 *
 * @throws internal `LAUNCH_FAILED` with the runtime's message.
 */
export async function launchConmon(request: LaunchRequest, place: ConmonPlace): Promise<LaunchedConmon> {
  return await launched(request, startConmon(request, place));
}
