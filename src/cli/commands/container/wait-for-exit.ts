import type { ApiClient } from '#client';
import type { WaitResponse } from '#spec';

/** A wait the daemon has taken up. */
export interface ArmedWait {
  /** Its exit code; 125 with a message on standard error when the wait itself fails. */
  readonly exitCode: Promise<number>;
}

/**
 * Has the daemon wait for a container's next exit, or its removal; returns once it does so, so that a start that
 * follows cannot be missed.
 *
 * @param warn - Gets the message when waiting fails later.
 */
export async function armWait(
  client: ApiClient,
  id: string,
  condition: 'next-exit' | 'removed',
  warn: (text: string) => void,
): Promise<ArmedWait> {
  const response = await client.send({
    method: 'POST',
    path: `/containers/${encodeURIComponent(id)}/wait`,
    query: { condition },
  });
  const exitCode = response.json<WaitResponse>().then(
    (result) => {
      if (result.Error === undefined || result.Error === null) return result.StatusCode;
      warn(`Error waiting for container: ${result.Error.Message}\n`);
      return 125;
    },
    (error: unknown) => {
      warn(`error waiting for container: ${error instanceof Error ? error.message : String(error)}\n`);
      return 125;
    },
  );
  return { exitCode };
}
