import type { Route } from './route.ts';

export interface RouteMatch {
  route: Route;
  /** Values of the path's parameters, decoded. */
  params: Readonly<Record<string, string>>;
}

interface Node {
  readonly literals: Map<string, Node>;
  parameter: { name: string; node: Node } | undefined;
  readonly routes: Map<string, Route>;
}

function newNode(): Node {
  return { literals: new Map(), parameter: undefined, routes: new Map() };
}

function childOf(node: Node, segment: string): Node {
  if (segment.startsWith('{')) {
    const name = segment.slice(1, -1);
    node.parameter ??= { name, node: newNode() };
    if (node.parameter.name !== name) throw new Error(`two names for one path parameter: ${name}`);
    return node.parameter.node;
  }
  let child = node.literals.get(segment);
  if (!child) node.literals.set(segment, (child = newNode()));
  return child;
}

/** Paths of more segments have no route: the longest image name has fewer. */
const maxSegments = 256;

/** Finds routes in a tree of path segments built once; what a look-up costs depends on the path's length alone. */
export class Router {
  readonly #root: Node;

  constructor(routes: readonly Route[]) {
    this.#root = newNode();
    for (const route of routes) {
      let node = this.#root;
      for (const segment of route.path.split('/').slice(1)) node = childOf(node, segment);
      if (node.routes.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`);
      node.routes.set(route.method, route);
    }
  }

  /**
   * The route for a path without version and query. Literal segments win over parameters, and a parameter takes as
   * few segments as the rest of the route allows.
   *
   * @throws URIError when a parameter is badly escaped.
   */
  find(method: string, path: string): RouteMatch | undefined {
    const segments = path.split('/', maxSegments + 1);
    return segments.length > maxSegments ? undefined : descend(this.#root, segments, 1, method, {});
  }
}

function descend(
  node: Node,
  segments: readonly string[],
  at: number,
  method: string,
  params: Readonly<Record<string, string>>,
): RouteMatch | undefined {
  const segment = segments[at];
  if (segment === undefined) {
    const route = node.routes.get(method);
    return route && { route, params };
  }
  const literal = node.literals.get(segment);
  const found = literal && descend(literal, segments, at + 1, method, params);
  if (found || !node.parameter) return found;
  return descendThroughParameter(node.parameter, segments, at, method, params);
}

function descendThroughParameter(
  { name, node }: { name: string; node: Node },
  segments: readonly string[],
  at: number,
  method: string,
  params: Readonly<Record<string, string>>,
): RouteMatch | undefined {
  for (let end = at + 1; end <= segments.length; end++) {
    const value = segments.slice(at, end).join('/');
    if (value === '') continue;
    const decoded = value.includes('%') ? decodeURIComponent(value) : value;
    const found = descend(node, segments, end, method, { ...params, [name]: decoded });
    if (found) return found;
  }
  return undefined;
}
