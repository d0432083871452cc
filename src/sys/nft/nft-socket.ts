import { withNetns } from '../namespaces/netns.ts';
import { NETLINK, NetlinkTransport } from '../netlink/transport.ts';
import { describeChange, encodeChange, nfgenmsg, type NftChange } from './changes.ts';
import { decodeChain, decodeRule, encodeChainQuery, encodeRuleQuery } from './listing.ts';
import type { ListedChain, ListedRule, NftTableRef } from './model.ts';
import { NFNL_MSG_BATCH, NFNL_SUBSYS_NFTABLES, NFT_MSG } from './numbers.ts';

/** Firewall rules of one network namespace: that in which the socket was opened. Synchronous. */
export interface NftSocket extends Disposable {
  /**
   * Makes all changes in one transaction, or none.
   *
   * @throws {@link EngineError} for the first change that the kernel refuses, with its errno's kind.
   */
  commit(changes: readonly NftChange[]): void;
  /** Chains that the kernel calls and others, of all tables and families. */
  listChains(): ListedChain[];
  /** Empty without such a chain. */
  listRules(table: NftTableRef, chain: string): ListedRule[];
}

class LinuxNftSocket implements NftSocket {
  readonly #transport = new NetlinkTransport(NETLINK.NETFILTER);

  commit(changes: readonly NftChange[]): void {
    if (changes.length === 0) return;
    const edge = { flags: 0, body: nfgenmsg(0, NFNL_SUBSYS_NFTABLES) };
    this.#transport.transaction(
      { type: NFNL_MSG_BATCH.BEGIN, ...edge },
      changes.map((change, index) => ({ ...encodeChange(change, index + 1), describe: () => describeChange(change) })),
      { type: NFNL_MSG_BATCH.END, ...edge },
      { action: 'nft commit', subject: '' },
    );
  }

  listChains(): ListedChain[] {
    const description = { action: 'nft list chains', subject: '' };
    return this.#transport.dump(NFT_MSG.GETCHAIN, encodeChainQuery(), description).map(decodeChain);
  }

  listRules(table: NftTableRef, chain: string): ListedRule[] {
    const description = { action: 'nft list rules', subject: `${table.family} ${table.table} ${chain}` };
    return this.#transport.dump(NFT_MSG.GETRULE, encodeRuleQuery(table, chain), description).map(decodeRule);
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }
}

/** Opens a socket in this thread's network namespace, or in that of `netnsPath`. The caller disposes it. */
export function openNftSocket(netnsPath?: string): NftSocket {
  return netnsPath === undefined ? new LinuxNftSocket() : withNetns(netnsPath, () => new LinuxNftSocket());
}
