/** Names and JSON types, down to the leaves; a list has the shape of its first member. */
export type Shape = Leaf | { [name: string]: Shape };
type Leaf = 'string' | 'number' | 'boolean' | 'null' | 'empty list';

export function shapeOf(value: unknown): Shape {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'empty list' : { '[]': shapeOf(value[0]) };
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
  }
  if (typeof value === 'string') return 'string';
  return typeof value === 'number' ? 'number' : 'boolean';
}

/** Where `actual` differs from `expected`, one line per place. */
export function shapeDifferences(expected: Shape, actual: Shape | undefined, path = ''): string[] {
  if (actual === undefined) return [`${path}: missing, ${brief(expected)} expected`];
  if (typeof expected === 'string' || typeof actual === 'string') {
    return expected === actual ? [] : [`${path}: ${brief(actual)}, ${brief(expected)} expected`];
  }
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...names].flatMap((name) => {
    const wanted = expected[name];
    const here = path === '' ? name : `${path}.${name}`;
    return wanted === undefined ? [`${here}: not expected`] : shapeDifferences(wanted, actual[name], here);
  });
}

function brief(shape: Shape): string {
  return typeof shape === 'string' ? shape : '[]' in shape ? 'list' : 'object';
}
