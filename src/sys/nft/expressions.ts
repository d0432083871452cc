import { attribute, nestedAttribute, textAttribute } from '../netlink/codec.ts';
import { be32Attribute } from './attributes.ts';
import type { NftExpression, NftVerdict } from './model.ts';
import {
  COMPARISON,
  CT_KEY,
  FAMILY,
  FIB_FLAG,
  META_KEY,
  NAT_TYPE,
  NFT_FIB_RESULT_ADDRTYPE,
  NFTA_DATA,
  NFTA_EXPR,
  NFTA_VERDICT,
  PAYLOAD_BASE,
  VERDICT,
} from './numbers.ts';

/** The kernel's number of the first register of four bytes; those below name the same memory in steps of sixteen. */
const FIRST_REGISTER = 8;
const VERDICT_REGISTER = 0;
const LOOKUP_INVERT = 1;
/** The checksum of IPv4, TCP and UDP. */
const PAYLOAD_CSUM_INET = 1;

/** Attributes of each expression, by its name in the kernel. */
export const EXPRESSION = {
  meta: { DREG: 1, KEY: 2 },
  ct: { DREG: 1, KEY: 2 },
  payload: { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4, SREG: 5, CSUM_TYPE: 6, CSUM_OFFSET: 7 },
  bitwise: { SREG: 1, DREG: 2, LEN: 3, MASK: 4, XOR: 5 },
  cmp: { SREG: 1, OP: 2, DATA: 3 },
  lookup: { SET: 1, SREG: 2, DREG: 3, FLAGS: 5 },
  fib: { DREG: 1, RESULT: 2, FLAGS: 3 },
  immediate: { DREG: 1, DATA: 2 },
  counter: {},
  masq: {},
  nat: { TYPE: 1, FAMILY: 2, REG_ADDR_MIN: 3, REG_PROTO_MIN: 5 },
} as const;

function expression(name: keyof typeof EXPRESSION, ...attributes: readonly Buffer[]): Buffer {
  return Buffer.concat([textAttribute(NFTA_EXPR.NAME, name), nestedAttribute(NFTA_EXPR.DATA, ...attributes)]);
}

function register(type: number, number: number): Buffer {
  return be32Attribute(type, FIRST_REGISTER + number);
}

/** A value as expressions and elements carry it. */
export function dataAttribute(type: number, value: Uint8Array): Buffer {
  return nestedAttribute(type, attribute(NFTA_DATA.VALUE, value));
}

/** A verdict as expressions and elements carry it. */
export function verdictAttribute(type: number, verdict: NftVerdict): Buffer {
  const inner =
    typeof verdict === 'string'
      ? [be32Attribute(NFTA_VERDICT.CODE, VERDICT[verdict])]
      : 'jump' in verdict
        ? [be32Attribute(NFTA_VERDICT.CODE, VERDICT.jump), textAttribute(NFTA_VERDICT.CHAIN, verdict.jump)]
        : [be32Attribute(NFTA_VERDICT.CODE, VERDICT.goto), textAttribute(NFTA_VERDICT.CHAIN, verdict.goto)];
  return nestedAttribute(type, nestedAttribute(NFTA_DATA.VERDICT, ...inner));
}

function encodeLoad(step: Extract<NftExpression, { op: 'meta' | 'ct' | 'payload' | 'fib' }>): Buffer {
  switch (step.op) {
    case 'meta': {
      const { DREG, KEY } = EXPRESSION.meta;
      return expression('meta', be32Attribute(KEY, META_KEY[step.key]), register(DREG, step.register));
    }
    case 'ct': {
      const { DREG, KEY } = EXPRESSION.ct;
      return expression('ct', be32Attribute(KEY, CT_KEY[step.key]), register(DREG, step.register));
    }
    case 'payload': {
      const { DREG, BASE, OFFSET, LEN } = EXPRESSION.payload;
      return expression(
        'payload',
        register(DREG, step.register),
        be32Attribute(BASE, PAYLOAD_BASE[step.base]),
        be32Attribute(OFFSET, step.offset),
        be32Attribute(LEN, step.length),
      );
    }
    case 'fib': {
      const { DREG, RESULT, FLAGS } = EXPRESSION.fib;
      const flags = step.of.reduce((sum, flag) => sum | FIB_FLAG[flag], 0);
      return expression(
        'fib',
        register(DREG, step.register),
        be32Attribute(RESULT, NFT_FIB_RESULT_ADDRTYPE),
        be32Attribute(FLAGS, flags),
      );
    }
  }
}

function encodePayloadSet(step: Extract<NftExpression, { op: 'payloadSet' }>): Buffer {
  const { BASE, OFFSET, LEN, SREG, CSUM_TYPE, CSUM_OFFSET } = EXPRESSION.payload;
  return expression(
    'payload',
    register(SREG, step.register),
    be32Attribute(BASE, PAYLOAD_BASE[step.base]),
    be32Attribute(OFFSET, step.offset),
    be32Attribute(LEN, step.length),
    be32Attribute(CSUM_TYPE, PAYLOAD_CSUM_INET),
    be32Attribute(CSUM_OFFSET, step.checksumOffset),
  );
}

function encodeLookup(step: Extract<NftExpression, { op: 'lookup' }>): Buffer {
  const { SET, SREG, DREG, FLAGS } = EXPRESSION.lookup;
  return expression(
    'lookup',
    textAttribute(SET, step.set),
    register(SREG, step.register),
    ...(step.into === undefined ? [] : [register(DREG, step.into)]),
    ...(step.invert === true ? [be32Attribute(FLAGS, LOOKUP_INVERT)] : []),
  );
}

function encodeNat(step: Extract<NftExpression, { op: 'nat' }>): Buffer {
  const { TYPE, FAMILY: FAMILY_ATTRIBUTE, REG_ADDR_MIN, REG_PROTO_MIN } = EXPRESSION.nat;
  return expression(
    'nat',
    be32Attribute(TYPE, NAT_TYPE[step.type]),
    be32Attribute(FAMILY_ATTRIBUTE, FAMILY[step.family]),
    register(REG_ADDR_MIN, step.addressRegister),
    ...(step.portRegister === undefined ? [] : [register(REG_PROTO_MIN, step.portRegister)]),
  );
}

/** One expression of a rule as the kernel takes it. */
export function encodeExpression(step: NftExpression): Buffer {
  const { lookup, immediate } = EXPRESSION;
  switch (step.op) {
    case 'meta':
    case 'ct':
    case 'payload':
    case 'fib':
      return encodeLoad(step);
    case 'payloadSet':
      return encodePayloadSet(step);
    case 'bitwise': {
      const { SREG, DREG, LEN, MASK, XOR } = EXPRESSION.bitwise;
      return expression(
        'bitwise',
        register(SREG, step.register),
        register(DREG, step.register),
        be32Attribute(LEN, step.mask.length),
        dataAttribute(MASK, step.mask),
        dataAttribute(XOR, step.xor),
      );
    }
    case 'cmp': {
      const { SREG, OP, DATA } = EXPRESSION.cmp;
      const comparison = be32Attribute(OP, COMPARISON[step.comparison]);
      return expression('cmp', register(SREG, step.register), comparison, dataAttribute(DATA, step.data));
    }
    case 'lookup':
      return encodeLookup(step);
    case 'verdictMap':
      return expression(
        'lookup',
        textAttribute(lookup.SET, step.map),
        register(lookup.SREG, step.register),
        be32Attribute(lookup.DREG, VERDICT_REGISTER),
      );
    case 'load':
      return expression('immediate', register(immediate.DREG, step.register), dataAttribute(immediate.DATA, step.data));
    case 'counter':
      return expression('counter');
    case 'masquerade':
      return expression('masq');
    case 'nat':
      return encodeNat(step);
    case 'verdict':
      return expression(
        'immediate',
        be32Attribute(immediate.DREG, VERDICT_REGISTER),
        verdictAttribute(immediate.DATA, step.verdict),
      );
  }
}
