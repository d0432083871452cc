import { decodeAttributeList, decodeAttributes, readText, textAttribute } from '../netlink/codec.ts';
import { nameOf, readBe32, readBe64 } from './attributes.ts';
import { nfgenmsg } from './changes.ts';
import { decodeExpression } from './decode-expressions.ts';
import type { ListedChain, ListedRule, NftTableRef } from './model.ts';
import { FAMILY, HOOK, NFTA_CHAIN, NFTA_HOOK, NFTA_LIST_ELEM, NFTA_RULE, POLICY } from './numbers.ts';

const NFGENMSG_SIZE = 4;

/** Body that asks for all chains of all families. */
export function encodeChainQuery(): Buffer {
  return nfgenmsg(0);
}

export function encodeRuleQuery({ family, table }: NftTableRef, chain: string): Buffer {
  return Buffer.concat([
    nfgenmsg(FAMILY[family]),
    textAttribute(NFTA_RULE.TABLE, table),
    textAttribute(NFTA_RULE.CHAIN, chain),
  ]);
}

export function decodeChain(body: Buffer): ListedChain {
  const attributes = decodeAttributes(body.subarray(NFGENMSG_SIZE));
  const hook = decodeAttributes(attributes.get(NFTA_CHAIN.HOOK) ?? Buffer.alloc(0));
  return {
    family: nameOf(FAMILY, body[0]),
    table: readText(attributes.get(NFTA_CHAIN.TABLE)) ?? '',
    name: readText(attributes.get(NFTA_CHAIN.NAME)) ?? '',
    hook: nameOf(HOOK, readBe32(hook.get(NFTA_HOOK.HOOKNUM))),
    policy: nameOf(POLICY, readBe32(attributes.get(NFTA_CHAIN.POLICY))),
  };
}

export function decodeRule(body: Buffer): ListedRule {
  const attributes = decodeAttributes(body.subarray(NFGENMSG_SIZE));
  const expressions = decodeAttributeList(attributes.get(NFTA_RULE.EXPRESSIONS) ?? Buffer.alloc(0));
  return {
    handle: readBe64(attributes.get(NFTA_RULE.HANDLE)) ?? 0n,
    expressions: expressions.flatMap(([type, value]) => (type === NFTA_LIST_ELEM ? [decodeExpression(value)] : [])),
  };
}
