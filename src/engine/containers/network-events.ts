import type { Sandbox } from '#net';
import type { ContainerId } from '#spec';
import type { EventBus } from '../events/event-bus.ts';

/** Tells that a container joined or left its network, if it has one of its own. */
export function publishNetworkEvent(
  events: EventBus,
  action: 'connect' | 'disconnect',
  container: ContainerId,
  sandbox: Sandbox | undefined,
): void {
  const endpoint = sandbox?.endpoint;
  if (!endpoint) return;
  events.publish('network', action, endpoint.networkId, { container, name: endpoint.networkName, type: 'bridge' });
}
