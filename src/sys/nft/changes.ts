import { attribute, nestedAttribute, type NetlinkMessage, NLM_F, textAttribute } from '../netlink/codec.ts';
import type { RequestDescription } from '../netlink/transport.ts';
import { be32Attribute, be64Attribute, listAttribute } from './attributes.ts';
import { dataAttribute, encodeExpression, verdictAttribute } from './expressions.ts';
import { encodeFields, lengthOfFields, orderOfFields, typeOfFields } from './fields.ts';
import type { NftChain, NftElement, NftExpression, NftSet, NftTableRef } from './model.ts';
import {
  FAMILY,
  HOOK,
  NFT_DATA_VERDICT,
  NFT_MSG,
  NFT_SET,
  NFT_SET_ELEM_INTERVAL_END,
  NFTA_CHAIN,
  NFTA_HOOK,
  NFTA_LIST_ELEM,
  NFTA_RULE,
  NFTA_SET,
  NFTA_SET_ELEM,
  NFTA_SET_ELEM_LIST,
  NFTA_TABLE,
  NLM_F_APPEND,
  POLICY,
  UDATA_SET,
} from './numbers.ts';

/** One change of a transaction. Adding what exists is fine for tables, chains, sets and equal elements. */
export type NftChange = NftTableRef &
  (
    | { change: 'addTable' }
    /** With everything in it. */
    | { change: 'removeTable' }
    | { change: 'addChain'; chain: NftChain }
    | { change: 'addSet'; set: NftSet }
    /** At the chain's end. */
    | { change: 'addRule'; chain: string; expressions: readonly NftExpression[] }
    | { change: 'removeRule'; chain: string; handle: bigint }
    | { change: 'addElements' | 'removeElements'; set: NftSet; elements: readonly NftElement[] }
  );

/** `struct nfgenmsg` */
export function nfgenmsg(family: number, resource = 0): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 0xff]);
}

function chainAttributes(table: string, { name, base }: NftChain): Buffer[] {
  const attributes = [textAttribute(NFTA_CHAIN.TABLE, table), textAttribute(NFTA_CHAIN.NAME, name)];
  if (base === undefined) return attributes;
  const hook = [be32Attribute(NFTA_HOOK.HOOKNUM, HOOK[base.hook]), be32Attribute(NFTA_HOOK.PRIORITY, base.priority)];
  return [
    ...attributes,
    nestedAttribute(NFTA_CHAIN.HOOK, ...hook),
    be32Attribute(NFTA_CHAIN.POLICY, POLICY[base.policy]),
    textAttribute(NFTA_CHAIN.TYPE, base.type),
  ];
}

function setDataAttributes(data: NonNullable<NftSet['data']>): Buffer[] {
  if (data === 'verdict') return [be32Attribute(NFTA_SET.DATA_TYPE, NFT_DATA_VERDICT)];
  return [
    be32Attribute(NFTA_SET.DATA_TYPE, typeOfFields(data)),
    be32Attribute(NFTA_SET.DATA_LEN, lengthOfFields(data)),
  ];
}

function userData(set: NftSet): Buffer {
  const order = (type: number, value: number): number[] => [type, 4, value, 0, 0, 0];
  return Buffer.from([
    ...order(UDATA_SET.KEY_BYTE_ORDER, orderOfFields(set.key)),
    ...(Array.isArray(set.data) ? order(UDATA_SET.DATA_BYTE_ORDER, orderOfFields(set.data)) : []),
  ]);
}

/** @param id - a number that no other set of the transaction has. */
function setAttributes(table: string, set: NftSet, id: number): Buffer[] {
  const flags = (set.interval === true ? NFT_SET.INTERVAL : 0) | (set.data === undefined ? 0 : NFT_SET.MAP);
  return [
    textAttribute(NFTA_SET.TABLE, table),
    textAttribute(NFTA_SET.NAME, set.name),
    be32Attribute(NFTA_SET.FLAGS, flags),
    be32Attribute(NFTA_SET.KEY_TYPE, typeOfFields(set.key)),
    be32Attribute(NFTA_SET.KEY_LEN, lengthOfFields(set.key)),
    ...(set.data === undefined ? [] : setDataAttributes(set.data)),
    be32Attribute(NFTA_SET.ID, id),
    attribute(NFTA_SET.USERDATA, userData(set)),
  ];
}

function elementBytes(set: NftSet, element: NftElement, withData: boolean): Buffer {
  const { data } = element;
  const parts = [dataAttribute(NFTA_SET_ELEM.KEY, encodeFields(set.key, element.key))];
  if (withData && data !== undefined) {
    if ('verdict' in data) parts.push(verdictAttribute(NFTA_SET_ELEM.DATA, data.verdict));
    else if (Array.isArray(set.data)) parts.push(dataAttribute(NFTA_SET_ELEM.DATA, encodeFields(set.data, data)));
  }
  if (element.intervalEnd === true) parts.push(be32Attribute(NFTA_SET_ELEM.FLAGS, NFT_SET_ELEM_INTERVAL_END));
  return Buffer.concat(parts);
}

function elementsAttributes(table: string, set: NftSet, elements: readonly NftElement[], withData: boolean): Buffer[] {
  const bytes = elements.map((element) => elementBytes(set, element, withData));
  return [
    textAttribute(NFTA_SET_ELEM_LIST.TABLE, table),
    textAttribute(NFTA_SET_ELEM_LIST.SET, set.name),
    listAttribute(NFTA_SET_ELEM_LIST.ELEMENTS, NFTA_LIST_ELEM, bytes),
  ];
}

interface Draft {
  type: number;
  flags: number;
  attributes: readonly Buffer[];
}

function draft(change: NftChange, id: number): Draft {
  const { table } = change;
  switch (change.change) {
    case 'addTable':
      return { type: NFT_MSG.NEWTABLE, flags: NLM_F.CREATE, attributes: [textAttribute(NFTA_TABLE.NAME, table)] };
    case 'removeTable':
      return { type: NFT_MSG.DELTABLE, flags: 0, attributes: [textAttribute(NFTA_TABLE.NAME, table)] };
    case 'addChain':
      return { type: NFT_MSG.NEWCHAIN, flags: NLM_F.CREATE, attributes: chainAttributes(table, change.chain) };
    case 'addSet':
      return { type: NFT_MSG.NEWSET, flags: NLM_F.CREATE, attributes: setAttributes(table, change.set, id) };
    case 'addRule':
      return {
        type: NFT_MSG.NEWRULE,
        flags: NLM_F.CREATE | NLM_F_APPEND,
        attributes: [
          textAttribute(NFTA_RULE.TABLE, table),
          textAttribute(NFTA_RULE.CHAIN, change.chain),
          listAttribute(NFTA_RULE.EXPRESSIONS, NFTA_LIST_ELEM, change.expressions.map(encodeExpression)),
        ],
      };
    case 'removeRule':
      return {
        type: NFT_MSG.DELRULE,
        flags: 0,
        attributes: [
          textAttribute(NFTA_RULE.TABLE, table),
          textAttribute(NFTA_RULE.CHAIN, change.chain),
          be64Attribute(NFTA_RULE.HANDLE, change.handle),
        ],
      };
    case 'addElements': {
      const attributes = elementsAttributes(table, change.set, change.elements, true);
      return { type: NFT_MSG.NEWSETELEM, flags: NLM_F.CREATE, attributes };
    }
    case 'removeElements':
      return {
        type: NFT_MSG.DELSETELEM,
        flags: 0,
        attributes: elementsAttributes(table, change.set, change.elements, false),
      };
  }
}

/** A change as the kernel takes it. @param id - its number within the transaction, from 1. */
export function encodeChange(change: NftChange, id: number): Omit<NetlinkMessage, 'sequence'> {
  const { type, flags, attributes } = draft(change, id);
  return { type, flags, body: Buffer.concat([nfgenmsg(FAMILY[change.family]), ...attributes]) };
}

const actions = {
  addTable: 'add table',
  removeTable: 'delete table',
  addChain: 'add chain',
  addSet: 'add set',
  addRule: 'add rule',
  removeRule: 'delete rule',
  addElements: 'add element',
  removeElements: 'delete element',
} as const;

/** What an error about a change says it was about. */
export function describeChange(change: NftChange): RequestDescription {
  const within = 'set' in change ? change.set.name : 'chain' in change ? change.chain : undefined;
  const name = typeof within === 'object' ? within.name : within;
  const subject = [change.family, change.table, ...(name === undefined ? [] : [name])].join(' ');
  return { action: `nft ${actions[change.change]}`, subject };
}
