import { isKind } from '#errors';
import type { Logger } from '#lib';
import {
  type NftChange,
  type NftSocket,
  type NftTable,
  planElements,
  planTable,
  planTableRemoval,
  type Sys,
} from '#sys';
import {
  acceptInIptablesForward,
  droppingForwardChains,
  hasOwnTable,
  isIptablesForward,
  removeFromIptablesForward,
} from './foreign.ts';
import { describeTable, type FirewallNetwork, type FirewallPort, portElements } from './table.ts';

/** Our rules in the kernel. */
export class Firewall implements Disposable {
  readonly #socket: NftSocket;
  readonly #logger: Logger;
  readonly #tableName: string;
  #networks: readonly FirewallNetwork[] = [];
  readonly #ports = new Map<string, FirewallPort>();
  /** Whether the kernel has our table, unless others have touched it. */
  #written = false;
  #reported = new Set<string>();

  constructor(sys: Sys, logger: Logger, tableName: string) {
    this.#socket = sys.nft.openNftSocket();
    this.#logger = logger;
    this.#tableName = tableName;
  }

  /**
   * Makes our rules those for `networks` in one transaction: the first time the whole table, so that no packet meets
   * half of it, later on what differs in its sets.
   */
  apply(networks: readonly FirewallNetwork[]): void {
    const gone = this.#bridgeNames().filter((name) => !networks.some(({ bridgeName }) => bridgeName === name));
    if (gone.length > 0) removeFromIptablesForward(this.#socket, gone);
    const before = this.#describe();
    this.#networks = networks;
    this.#write(() => planElements(before, this.#describe()));
    this.ensure();
  }

  /** Leads ports to containers, with the first {@link apply} or at once. */
  addPorts(ports: readonly FirewallPort[]): void {
    for (const port of ports) this.#ports.set(portKey(port), port);
    if (this.#written) this.#write(() => this.#planPorts('addElements', ports));
  }

  /** Connections that came in by these ports go on. */
  removePorts(ports: readonly FirewallPort[]): void {
    for (const port of ports) this.#ports.delete(portKey(port));
    if (this.#written) this.#write(() => this.#planPorts('removeElements', ports));
  }

  /** Puts the whole table in the place of what there is. */
  rewrite(): void {
    this.#socket.commit(planTable(this.#describe()));
    this.ensure();
  }

  #planPorts(change: 'addElements' | 'removeElements', ports: readonly FirewallPort[]): NftChange[] {
    return portElements(ports)
      .filter(({ elements }) => elements.length > 0)
      .map(({ set, elements }) => ({ family: 'inet', table: this.#tableName, change, set, elements }));
  }

  /**
   * Puts back what others have flushed and gets along with chains that others have added since. A twentieth of a
   * millisecond when all is well, so it is done before each start of a container.
   */
  ensure(): void {
    const listing = this.#socket.listChains();
    if (this.#written && !hasOwnTable(listing, this.#tableName)) this.#socket.commit(planTable(this.#describe()));
    for (const chain of droppingForwardChains(listing, this.#tableName)) {
      if (isIptablesForward(chain)) acceptInIptablesForward(this.#socket, this.#bridgeNames());
      else this.#report(`${chain.family} ${chain.table} ${chain.name}`);
    }
  }

  /** Removes what a daemon before us put into iptables' chain for bridges that are no more. */
  forget(bridgeNames: readonly string[]): void {
    removeFromIptablesForward(this.#socket, bridgeNames);
  }

  /** Removes our table and our rules in iptables' chain. */
  remove(): void {
    removeFromIptablesForward(this.#socket, this.#bridgeNames());
    this.#socket.commit(planTableRemoval({ family: 'inet', table: this.#tableName }));
    this.#written = false;
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #bridgeNames(): string[] {
    return this.#networks.map(({ bridgeName }) => bridgeName);
  }

  #describe(): NftTable {
    return describeTable(this.#tableName, this.#networks, [...this.#ports.values()]);
  }

  /** The whole table the first time, and when others have flushed or edited it: then a difference is refused. */
  #write(difference: () => readonly NftChange[]): void {
    try {
      this.#socket.commit(this.#written ? difference() : planTable(this.#describe()));
    } catch (error) {
      if (!isKind(error, 'notFound') && !isKind(error, 'alreadyExists')) throw error;
      this.#socket.commit(planTable(this.#describe()));
    }
    this.#written = true;
  }

  #report(chain: string): void {
    if (this.#reported.has(chain)) return;
    this.#reported.add(chain);
    this.#logger.warn('a firewall chain drops forwarded packets by policy; containers need rules there to get out', {
      chain,
      bridges: this.#bridgeNames().join(','),
    });
  }
}

function portKey({ protocol, hostAddress, hostPort }: FirewallPort): string {
  return `${protocol} ${hostAddress} ${hostPort}`;
}
