import { isKind } from '#errors';
import type { Logger } from '#lib';
import { type NftSocket, type NftTable, planElements, planTable, planTableRemoval, type Sys } from '#sys';
import {
  acceptInIptablesForward,
  droppingForwardChains,
  hasOwnTable,
  isIptablesForward,
  removeFromIptablesForward,
} from './foreign.ts';
import { describeTable, type FirewallNetwork } from './table.ts';

/** Our rules in the kernel. */
export class Firewall implements Disposable {
  readonly #socket: NftSocket;
  readonly #logger: Logger;
  readonly #tableName: string;
  #networks: readonly FirewallNetwork[] = [];
  /** What the kernel has, unless others have touched it; undefined before the first time. */
  #current: NftTable | undefined;
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
    this.#write(describeTable(this.#tableName, networks));
    this.#networks = networks;
    this.ensure();
  }

  /**
   * Puts back what others have flushed and gets along with chains that others have added since. A twentieth of a
   * millisecond when all is well, so it is done before each start of a container.
   */
  ensure(): void {
    const listing = this.#socket.listChains();
    if (this.#current !== undefined && !hasOwnTable(listing, this.#tableName)) {
      this.#socket.commit(planTable(this.#current));
    }
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
    this.#current = undefined;
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #bridgeNames(): string[] {
    return this.#networks.map(({ bridgeName }) => bridgeName);
  }

  #write(wanted: NftTable): void {
    try {
      this.#socket.commit(this.#current === undefined ? planTable(wanted) : planElements(this.#current, wanted));
    } catch (error) {
      // Somebody has flushed or edited the table, so that what was to be removed is gone or what was to be added is there.
      if (!isKind(error, 'notFound') && !isKind(error, 'alreadyExists')) throw error;
      this.#socket.commit(planTable(wanted));
    }
    this.#current = wanted;
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
