import type { NftObject, Sys } from '#sys';

/**
 * Other firewalls on the host. In nftables "accept" ends only the base chain it stands in, while "drop" is final: where
 * another chain at the forward hook drops by policy, no rule in our own table can let our packets pass. dockerd does that
 * through iptables (`FORWARD` in `ip filter`, policy DROP). There two rules are appended to the end of that chain: every
 * rule of others comes first, and ours replace nothing but the policy's verdict, for our bridge alone, as iptables users
 * among container engines have always done. Chains of other tools are left alone and reported.
 */
export interface ForeignForwardChain {
  family: string;
  table: string;
  name: string;
}

/** Where iptables' nft variant keeps the rules that we may append to. */
export function isIptablesForward(chain: ForeignForwardChain): boolean {
  return chain.family === 'ip' && chain.table === 'filter' && chain.name === 'FORWARD';
}

/** The chains of a listing that drop IPv4 packets on their way through the host unless a rule accepts them. */
export function droppingForwardChains(listing: readonly NftObject[], ownTable: string): ForeignForwardChain[] {
  return listing.flatMap(({ chain }) => {
    if (chain === undefined || chain['hook'] !== 'forward' || chain['policy'] !== 'drop') return [];
    const found = { family: String(chain['family']), table: String(chain['table']), name: String(chain['name']) };
    const own = found.family === 'inet' && found.table === ownTable;
    return own || !['ip', 'inet'].includes(found.family) ? [] : [found];
  });
}

/** Whether a listing of all chains shows our table with its chains. */
export function hasOwnTable(listing: readonly NftObject[], tableName: string): boolean {
  return listing.some(
    ({ chain }) => chain?.['family'] === 'inet' && chain['table'] === tableName && chain['name'] === 'forward',
  );
}

const directions = ['iifname', 'oifname'] as const;
type Direction = (typeof directions)[number];

/** Our accept rules in the listing of a chain: which packets, and the handle to delete the rule by. */
export function ownAcceptRules(
  listing: readonly NftObject[],
  bridgeName: string,
): { direction: Direction; handle: number }[] {
  return listing.flatMap(({ rule }) => {
    const expressions = JSON.stringify(rule?.['expr'] ?? []);
    if (!expressions.includes('"accept"')) return [];
    const direction = directions.find((key) =>
      expressions.startsWith(
        `[{"match":{"op":"==","left":{"meta":{"key":"${key}"}},"right":${JSON.stringify(bridgeName)}}}`,
      ),
    );
    return direction === undefined ? [] : [{ direction, handle: Number(rule?.['handle']) }];
  });
}

/** Appends the rules for our bridge that are not there yet to iptables' FORWARD chain. */
export function acceptInIptablesForward(sys: Sys, bridgeName: string): void {
  const present = ownAcceptRules(sys.nft.query('list chain ip filter FORWARD'), bridgeName);
  const missing = directions.filter((direction) => !present.some((rule) => rule.direction === direction));
  if (missing.length === 0) return;
  sys.nft.run(
    missing.map((direction) => `add rule ip filter FORWARD ${direction} "${bridgeName}" counter accept`).join('\n'),
  );
}

/** Takes back what {@link acceptInIptablesForward} appended. */
export function removeFromIptablesForward(sys: Sys, bridgeName: string): void {
  const exists = sys.nft
    .query('list chains')
    .some(({ chain }) => chain?.['family'] === 'ip' && chain['table'] === 'filter' && chain['name'] === 'FORWARD');
  if (!exists) return;
  const rules = ownAcceptRules(sys.nft.query('list chain ip filter FORWARD'), bridgeName);
  if (rules.length === 0) return;
  sys.nft.run(rules.map((rule) => `delete rule ip filter FORWARD handle ${rule.handle}`).join('\n'));
}
