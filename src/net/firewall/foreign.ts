import type { ListedChain, ListedRule, NftChange, NftExpression, NftSocket } from '#sys';
import { isInterface, verdict } from './rules.ts';

/**
 * Other firewalls on the host. In nftables "accept" ends only the base chain it stands in, while "drop" is final: where
 * another chain at the forward hook drops by policy, no rule in our own table can let our packets pass. dockerd does that
 * through iptables (`FORWARD` in `ip filter`, policy DROP). There two rules are appended to the end of that chain: every
 * rule of others comes first, and ours replace nothing but the policy's verdict, for our bridge alone, as iptables users
 * among container engines have always done. Chains of other tools are left alone and reported.
 */

/** Where iptables' nft variant keeps the rules that we may append to. */
const iptables = { family: 'ip', table: 'filter' } as const;
const FORWARD = 'FORWARD';

export function isIptablesForward(chain: ListedChain): boolean {
  return chain.family === iptables.family && chain.table === iptables.table && chain.name === FORWARD;
}

/** The chains that drop IPv4 packets on their way through the host unless a rule accepts them. */
export function droppingForwardChains(listing: readonly ListedChain[], ownTable: string): ListedChain[] {
  return listing.filter(
    ({ family, table, hook, policy }) =>
      hook === 'forward' &&
      policy === 'drop' &&
      (family === 'ip' || family === 'inet') &&
      !(family === 'inet' && table === ownTable),
  );
}

/** Whether a listing of all chains shows our table with its chains. */
export function hasOwnTable(listing: readonly ListedChain[], tableName: string): boolean {
  return listing.some(({ family, table, name }) => family === 'inet' && table === tableName && name === 'forward');
}

const directions = ['iifname', 'oifname'] as const;
type Direction = (typeof directions)[number];

function acceptRule(direction: Direction, bridgeName: string): NftExpression[] {
  return [...isInterface(direction, bridgeName), { op: 'counter' }, ...verdict('accept')];
}

/** iptables writes names without the zeros behind them, when it has saved and restored our rule. */
function isMatchOn(direction: Direction, bridgeName: string, rule: ListedRule): boolean {
  const [load, compare] = rule.expressions;
  return (
    load?.op === 'meta' &&
    load.key === direction &&
    compare?.op === 'cmp' &&
    compare.comparison === 'eq' &&
    compare.data.toString().replace(/\0+$/, '') === bridgeName
  );
}

/** Our accept rules in the listing of a chain: which packets, and the handle to delete the rule by. */
export function ownAcceptRules(
  listing: readonly ListedRule[],
  bridgeName: string,
): { direction: Direction; handle: bigint }[] {
  return listing.flatMap((rule) => {
    const [, , third, fourth, ...more] = rule.expressions;
    const accepts = third?.op === 'counter' && fourth?.op === 'verdict' && fourth.verdict === 'accept';
    if (!accepts || more.length > 0) return [];
    const direction = directions.find((one) => isMatchOn(one, bridgeName, rule));
    return direction === undefined ? [] : [{ direction, handle: rule.handle }];
  });
}

/** Appends the rules for our bridges that are not there yet to iptables' FORWARD chain. */
export function acceptInIptablesForward(socket: NftSocket, bridgeNames: readonly string[]): void {
  const listing = socket.listRules(iptables, FORWARD);
  const changes = bridgeNames.flatMap((bridgeName) => {
    const present = ownAcceptRules(listing, bridgeName);
    return directions
      .filter((direction) => !present.some((rule) => rule.direction === direction))
      .map((direction): NftChange => {
        const expressions = acceptRule(direction, bridgeName);
        return { ...iptables, change: 'addRule', chain: FORWARD, expressions };
      });
  });
  socket.commit(changes);
}

/** Takes back what {@link acceptInIptablesForward} appended. */
export function removeFromIptablesForward(socket: NftSocket, bridgeNames: readonly string[]): void {
  const listing = socket.listRules(iptables, FORWARD);
  const rules = bridgeNames.flatMap((bridgeName) => ownAcceptRules(listing, bridgeName));
  socket.commit(rules.map(({ handle }): NftChange => ({ ...iptables, change: 'removeRule', chain: FORWARD, handle })));
}
