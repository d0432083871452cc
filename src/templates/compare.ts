import { CallError } from './template-error.ts';
import { GoFloat, type GoValue } from './values.ts';

type Kind = 'bool' | 'int' | 'float' | 'string' | 'nil' | 'other';

function kindOf(value: GoValue): Kind {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint') return 'int';
  return value instanceof GoFloat ? 'float' : 'other';
}

/** Go's `eq` for two values. @throws CallError for kinds that do not compare. */
export function equals(a: GoValue, b: GoValue): boolean {
  const [kindA, kindB] = [kindOf(a), kindOf(b)];
  if (kindA === 'nil' || kindB === 'nil') return kindA === kindB;
  if (kindA !== kindB) throw new CallError('incompatible types for comparison');
  if (kindA === 'other') throw new CallError('non-comparable type');
  return sameScalar(a, b);
}

function sameScalar(a: GoValue, b: GoValue): boolean {
  if (a instanceof GoFloat && b instanceof GoFloat) return a.value === b.value;
  if (typeof a === 'bigint' || typeof b === 'bigint') return BigInt(String(a)) === BigInt(String(b));
  return a === b;
}

/** Negative when `a < b`. @throws CallError for kinds without an order. */
export function compare(a: GoValue, b: GoValue): number {
  const [kindA, kindB] = [kindOf(a), kindOf(b)];
  if (kindA === 'bool' || kindA === 'other' || kindA === 'nil') throw new CallError('invalid type for comparison');
  if (kindA !== kindB) throw new CallError('incompatible types for comparison');
  if (a instanceof GoFloat && b instanceof GoFloat) return a.value - b.value;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  const [x, y] = [BigInt(String(a)), BigInt(String(b))];
  return x < y ? -1 : x > y ? 1 : 0;
}
