import type { NftChange } from './changes.ts';
import type { NftElement, NftSet, NftTable, NftTableRef } from './model.ts';

/** An attribute holds 64 KiB; an element takes 128 bytes at most. */
const ELEMENTS_PER_CHANGE = 400;

function elementChanges(
  { family, table }: NftTableRef,
  change: 'addElements' | 'removeElements',
  set: NftSet,
  elements: readonly NftElement[],
): NftChange[] {
  const changes: NftChange[] = [];
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_CHANGE) {
    changes.push({ family, table, change, set, elements: elements.slice(start, start + ELEMENTS_PER_CHANGE) });
  }
  return changes;
}

/** Removes a table with everything in it; fine when there is none. */
export function planTableRemoval({ family, table }: NftTableRef): NftChange[] {
  return [
    { family, table, change: 'addTable' },
    { family, table, change: 'removeTable' },
  ];
}

/** Puts a table in the place of whatever has its name. Chains come before what may jump to them: elements and rules. */
export function planTable(wanted: NftTable): NftChange[] {
  const { family, table, sets, chains } = wanted;
  const changes: NftChange[] = [...planTableRemoval(wanted), { family, table, change: 'addTable' }];
  for (const { rules: _, ...chain } of chains) changes.push({ family, table, change: 'addChain', chain });
  for (const { elements, ...set } of sets) {
    changes.push({ family, table, change: 'addSet', set }, ...elementChanges(wanted, 'addElements', set, elements));
  }
  for (const { name, rules } of chains) {
    for (const expressions of rules) changes.push({ family, table, change: 'addRule', chain: name, expressions });
  }
  return changes;
}

function elementKey(element: NftElement): string {
  return JSON.stringify([element.key, element.data, element.intervalEnd]);
}

/** The elements of `of` that `from` lacks. */
function missingIn(of: readonly NftElement[], from: readonly NftElement[]): NftElement[] {
  const present = new Set(from.map(elementKey));
  return of.filter((element) => !present.has(elementKey(element)));
}

/**
 * Gets from one table to another of the same chains, rules and sets by what their sets hold. Removals of all sets come
 * first, so that a key may get other data.
 */
export function planElements(current: NftTable, wanted: NftTable): NftChange[] {
  const pairs = wanted.sets.map((set) => {
    const before = current.sets.find(({ name }) => name === set.name)?.elements ?? [];
    return { set, removed: missingIn(before, set.elements), added: missingIn(set.elements, before) };
  });
  const bare = ({ elements: _, ...set }: NftTable['sets'][number]): NftSet => set;
  return [
    ...pairs.flatMap(({ set, removed }) => elementChanges(wanted, 'removeElements', bare(set), removed)),
    ...pairs.flatMap(({ set, added }) => elementChanges(wanted, 'addElements', bare(set), added)),
  ];
}
