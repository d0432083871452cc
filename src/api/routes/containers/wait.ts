import { EngineError, findEngineError } from '#errors';
import type { WaitResponse } from '#spec';
import type { Exchange } from '../../http/exchange.ts';
import type { ContainersBackend, WaitCondition } from './backend.ts';
import { idOf } from './lifecycle.ts';

/** Conditions came with 1.30; before, clients waited until the container did not run. */
function conditionOf({ version, query }: Exchange): WaitCondition {
  const condition = version < 30 ? '' : query.text('condition');
  if (condition === '') return 'not-running';
  if (condition === 'not-running' || condition === 'next-exit' || condition === 'removed') return condition;
  throw new EngineError('invalidArgument', 'INVALID_CONDITION', `invalid condition: ${JSON.stringify(condition)}`);
}

/** Rejects when `signal` aborts. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abandon = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
    if (signal.aborted) abandon();
    else signal.addEventListener('abort', abandon, { once: true });
  });
}

/**
 * Sends the head as soon as the waiter is armed: clients start the container when they have seen it. Before 1.30 the head
 * came with the body.
 */
export async function wait(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const condition = conditionOf(exchange);
  const { signal } = exchange;
  const { result } = await backend.wait(idOf(exchange), condition, signal);
  const outcome = Promise.race([result, rejectionOf(signal)]);
  if (exchange.version < 30) {
    exchange.json(200, await outcome);
    return;
  }
  const writer = exchange.stream('application/json');
  const answer = await outcome.catch((error: unknown): WaitResponse | undefined => {
    if (signal.aborted) return undefined;
    // Before 1.34 a removal that failed was told by an empty body.
    if (condition === 'removed' && exchange.version < 34) return undefined;
    const message = findEngineError(error)?.message ?? String(error);
    return { StatusCode: -1, Error: { Message: message } };
  });
  if (answer) void writer.write(Buffer.from(`${JSON.stringify(answer)}\n`));
  writer.end();
}
