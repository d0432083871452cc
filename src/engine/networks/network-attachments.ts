import { isKind } from '#errors';
import { failpoint } from '#lib';
import {
  type Endpoint,
  endpointExists,
  type NetworkCatalog,
  type NetworkDescription,
  type Networks,
  noSuchNetwork,
} from '#net';
import { emptyEndpointSettings, type NetworkConnectRequest, type NetworkDisconnectRequest } from '#spec';
import { publishNetworkEvents } from '../containers/network-events.ts';
import { isLive, type ContainerRecord } from '../containers/record.ts';
import type { ContainerRegistry } from '../containers/registry.ts';
import { portRequests } from '../containers/ports.ts';
import { endpointRequest, resolverSettings } from '../containers/sandbox.ts';
import type { EventBus } from '../events/event-bus.ts';
import { checkEndpointSettings } from './endpoint-settings.ts';
import { markedForRemoval, noneIsAlone, notConnected, notOffHost, notOntoHost, sharesNamespace } from './errors.ts';

export interface NetworkAttachmentsDeps {
  registry: ContainerRegistry;
  networks: Networks & NetworkCatalog;
  events: EventBus;
  /** A running container got an address or lost one. */
  editNetworkFiles(record: ContainerRecord, change: { added?: string; removed?: string }): void;
}

/**
 * Puts containers on networks and takes them off. A stopped container's next run does as its record says; with a running
 * one the kernel follows. What a kill leaves between record and kernel is mended at start, by the record.
 */
export class NetworkAttachments {
  readonly #deps: NetworkAttachmentsDeps;

  constructor(deps: NetworkAttachmentsDeps) {
    this.#deps = deps;
  }

  /** @throws notFound; invalidArgument with Docker's texts for what cannot be combined; forbidden for what is taken. */
  async connect(ref: string, request: NetworkConnectRequest): Promise<void> {
    const { registry } = this.#deps;
    const { id } = registry.get(request.Container);
    using _lock = await registry.locks.lock(id);
    const record = registry.current(id);
    checkNotRemoving(record);
    const network = this.#deps.networks.find(ref);
    if (network === undefined) throw noSuchNetwork(ref);
    this.#checkCombination(record, network);
    const settings = request.EndpointConfig ?? emptyEndpointSettings();
    checkEndpointSettings(network, settings);
    const known = record.endpoints[network.name] !== undefined;
    if (known && isLive(record.phase)) throw endpointExists(record.name, network.name);
    // A second connection of a stopped container changes nothing, as in dockerd.
    if (known) return;
    const wanted = { ...record, endpoints: { ...record.endpoints, [network.name]: settings } };
    if (isLive(record.phase)) await this.#connectLive(wanted, network);
    else registry.save(record, { endpoints: wanted.endpoints });
  }

  async #connectLive(record: ContainerRecord, network: NetworkDescription): Promise<void> {
    const { networks } = this.#deps;
    await using undo = new AsyncDisposableStack();
    const request = endpointRequest(record, network);
    const endpoint = await networks.connect(record.id, request, {
      resolver: resolverSettings(record),
      ports: portRequests(record),
    });
    undo.defer(async () => void (await networks.disconnect(record.id, network.id)));
    failpoint('connect-before-commit');
    const saved = this.#saveEndpoints(record, networks.endpointsOf(record.id));
    undo.move();
    failpoint('connect-after-commit');
    this.#announce('connect', saved, endpoint);
  }

  #saveEndpoints(record: ContainerRecord, endpoints: Endpoint[]): ContainerRecord {
    const sandbox = record.sandbox && { ...record.sandbox, endpoints };
    return this.#deps.registry.save(record, { sandbox });
  }

  #announce(action: 'connect' | 'disconnect', record: ContainerRecord, endpoint: Endpoint): void {
    const { address } = endpoint;
    this.#deps.editNetworkFiles(record, action === 'connect' ? { added: address } : { removed: address });
    publishNetworkEvents(this.#deps.events, action, record.id, [endpoint]);
  }

  #checkCombination(record: ContainerRecord, network: NetworkDescription): void {
    const mode = record.hostConfig.NetworkMode;
    if (mode.startsWith('container:')) throw sharesNamespace();
    if (network.driver === 'host' && mode !== 'host') throw notOntoHost();
    const others = Object.keys(record.endpoints).filter((name) => name !== network.name);
    if (mode === 'host' && network.driver !== 'host') throw sharesNamespace();
    if (others.length > 0 && (network.driver === 'null' || others.includes('none'))) throw noneIsAlone();
  }

  /** @throws notFound, unless `Force`; internal when it is not connected (as dockerd has it). */
  async disconnect(ref: string, request: NetworkDisconnectRequest): Promise<void> {
    const { registry } = this.#deps;
    const found = this.#deps.networks.find(ref);
    const id = this.#containerId(request, ref, found);
    if (id === undefined) return;
    using _lock = await registry.locks.lock(id);
    const record = registry.current(id);
    checkNotRemoving(record);
    const live = isLive(record.phase);
    if (found === undefined && live && !request.Force) throw noSuchNetwork(ref);
    const name = found?.name ?? ref;
    if (live && record.hostConfig.NetworkMode === 'host' && found?.driver === 'host') throw notOffHost();
    if (record.endpoints[name] === undefined) {
      if (found === undefined) throw noSuchNetwork(ref);
      throw notConnected(id, name, live);
    }
    const { [name]: _left, ...endpoints } = record.endpoints;
    if (live) await this.#disconnectLive({ ...record, endpoints }, name);
    else registry.save(record, { endpoints });
  }

  async #disconnectLive(record: ContainerRecord, name: string): Promise<void> {
    const present = record.sandbox?.endpoints ?? [];
    const endpoint = present.find(({ networkName }) => networkName === name);
    const saved = this.#saveEndpoints(
      record,
      present.filter((one) => one !== endpoint),
    );
    failpoint('disconnect-after-commit');
    if (endpoint === undefined) return;
    const { networks } = this.#deps;
    await networks.disconnect(record.id, endpoint.networkId);
    // Ports have moved with the way out.
    if (endpoint.ports !== undefined) this.#saveEndpoints(saved, networks.endpointsOf(record.id));
    this.#announce('disconnect', saved, endpoint);
  }

  /** With `Force` a container that is gone is no failure: what is left of its endpoint goes by itself. */
  #containerId(
    { Container, Force }: NetworkDisconnectRequest,
    ref: string,
    found: NetworkDescription | undefined,
  ): ContainerRecord['id'] | undefined {
    try {
      return this.#deps.registry.get(Container).id;
    } catch (error) {
      if (!Force || !isKind(error, 'notFound')) throw error;
      if (found === undefined) throw noSuchNetwork(ref);
      return undefined;
    }
  }
}

function checkNotRemoving({ id, phase }: ContainerRecord): void {
  if (phase.status === 'removing' || phase.status === 'dead') throw markedForRemoval(id);
}
