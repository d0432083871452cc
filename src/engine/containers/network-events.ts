import type { Endpoint } from '#net';
import type { ContainerId } from '#spec';
import type { EventBus } from '../events/event-bus.ts';

/** Tells that a container joined or left networks of its own. */
export function publishNetworkEvents(
  events: EventBus,
  action: 'connect' | 'disconnect',
  container: ContainerId,
  endpoints: readonly Endpoint[],
): void {
  for (const { networkId, networkName } of endpoints) {
    events.publish('network', action, networkId, { container, name: networkName, type: 'bridge' });
  }
}
