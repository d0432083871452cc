import { type Attributes, decodeAttributes, readText } from '../netlink/codec.ts';
import { nameOf, readBe32, readSignedBe32 } from './attributes.ts';
import { EXPRESSION } from './expressions.ts';
import type { NftExpression, NftVerdict } from './model.ts';
import { COMPARISON, META_KEY, NFTA_DATA, NFTA_EXPR, NFTA_VERDICT, VERDICT } from './numbers.ts';

/** The kernel names a register that begins at sixteen bytes 1 to 4, and one within 8 and up. */
function readRegister(value: Buffer | undefined): number | undefined {
  const number = readBe32(value);
  if (number === undefined || number === 0) return undefined;
  return number <= 4 ? (number - 1) * 4 : number - 8;
}

function inner(attributes: Attributes, type: number): Attributes {
  return decodeAttributes(attributes.get(type) ?? Buffer.alloc(0));
}

function decodeVerdict(data: Attributes): NftVerdict | undefined {
  const attributes = inner(data, NFTA_DATA.VERDICT);
  const code = nameOf(VERDICT, readSignedBe32(attributes.get(NFTA_VERDICT.CODE)));
  const chain = readText(attributes.get(NFTA_VERDICT.CHAIN)) ?? '';
  if (code === 'jump') return { jump: chain };
  return code === 'goto' ? { goto: chain } : code;
}

/**
 * What rules of others are recognised by: matches on interfaces, counters and verdicts. Anything else is undefined, and so
 * are these with settings that this module has no words for.
 */
export function decodeExpression(bytes: Buffer): NftExpression | undefined {
  const outer = decodeAttributes(bytes);
  const attributes = inner(outer, NFTA_EXPR.DATA);
  switch (readText(outer.get(NFTA_EXPR.NAME))) {
    case 'meta': {
      const key = nameOf(META_KEY, readBe32(attributes.get(EXPRESSION.meta.KEY)));
      const register = readRegister(attributes.get(EXPRESSION.meta.DREG));
      return key === undefined || register === undefined ? undefined : { op: 'meta', key, register };
    }
    case 'cmp': {
      const register = readRegister(attributes.get(EXPRESSION.cmp.SREG));
      const comparison = nameOf(COMPARISON, readBe32(attributes.get(EXPRESSION.cmp.OP)));
      const data = inner(attributes, EXPRESSION.cmp.DATA).get(NFTA_DATA.VALUE);
      if (register === undefined || comparison === undefined || data === undefined) return undefined;
      return { op: 'cmp', register, comparison, data };
    }
    case 'counter':
      return { op: 'counter' };
    case 'immediate': {
      const verdict = decodeVerdict(inner(attributes, EXPRESSION.immediate.DATA));
      return verdict === undefined ? undefined : { op: 'verdict', verdict };
    }
    case undefined:
    default:
      return undefined;
  }
}
