import { EngineError } from '#errors';

/** No machine has more CPUs or memory nodes; keeps `0-999999999` from filling the memory. */
const LARGEST = 8191;

/**
 * Reads a list of CPUs or memory nodes, `0-3,6`.
 *
 * @throws invalidArgument `invalid format: …`.
 */
export function parseCpuList(text: string): Set<number> {
  const numbers = new Set<number>();
  for (const part of text === '' ? [] : text.split(',')) {
    const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === '' || from > to || to > LARGEST) {
      throw new EngineError('invalidArgument', 'INVALID_CPU_LIST', `invalid format: ${text}`);
    }
    for (let number = from; number <= to; number += 1) numbers.add(number);
  }
  return numbers;
}
