import type { Logger } from '#lib';
import type { Sys } from '#sys';
import {
  acceptInIptablesForward,
  droppingForwardChains,
  hasOwnTable,
  isIptablesForward,
  removeFromIptablesForward,
} from './foreign.ts';
import { type FirewallNetwork, renderRuleset } from './ruleset.ts';

/** Our rules in the kernel. */
export class Firewall {
  readonly #sys: Sys;
  readonly #logger: Logger;
  readonly #tableName: string;
  #networks: readonly FirewallNetwork[] = [];
  #reported = new Set<string>();

  constructor(sys: Sys, logger: Logger, tableName: string) {
    this.#sys = sys;
    this.#logger = logger;
    this.#tableName = tableName;
  }

  /** Replaces our rules by those for `networks`. */
  apply(networks: readonly FirewallNetwork[]): void {
    this.#networks = networks;
    this.#sys.nft.run(renderRuleset(this.#tableName, networks));
    this.ensure();
  }

  /**
   * Puts back what others have flushed and gets along with chains that others have added since. A quarter of a
   * millisecond when all is well, so it is done before each start of a container.
   */
  ensure(): void {
    const listing = this.#sys.nft.query('list chains');
    if (!hasOwnTable(listing, this.#tableName)) {
      this.#sys.nft.run(renderRuleset(this.#tableName, this.#networks));
    }
    for (const chain of droppingForwardChains(listing, this.#tableName)) {
      if (isIptablesForward(chain)) {
        for (const { bridgeName } of this.#networks) acceptInIptablesForward(this.#sys, bridgeName);
      } else {
        this.#report(`${chain.family} ${chain.table} ${chain.name}`);
      }
    }
  }

  /** Removes our table and our rules in iptables' chain. */
  remove(): void {
    for (const { bridgeName } of this.#networks) removeFromIptablesForward(this.#sys, bridgeName);
    this.#sys.nft.run(`add table inet ${this.#tableName}\ndelete table inet ${this.#tableName}`);
  }

  #report(chain: string): void {
    if (this.#reported.has(chain)) return;
    this.#reported.add(chain);
    this.#logger.warn('a firewall chain drops forwarded packets by policy; containers need rules there to get out', {
      chain,
      bridges: this.#networks.map((network) => network.bridgeName).join(','),
    });
  }
}
