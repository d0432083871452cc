import type { RepositoryAction } from '../auth/access.ts';
import type { Exchange } from './exchange.ts';
import type { Target } from './target.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a request needs to be allowed to, and what it does then. */
export interface Route<Kind extends Target['kind']> {
  readonly action: RepositoryAction | 'catalog' | 'base';
  run(exchange: Exchange, target: Extract<Target, { kind: Kind }>): Promise<void> | void;
}

/** All routes below `/v2/`. */
export type Routes = { readonly [Kind in Target['kind']]: Readonly<Partial<Record<Method, Route<Kind>>>> };

/** The route of a target with the target bound to it, so that what is allowed is what is run. */
export interface FoundRoute {
  readonly action: Route<'base'>['action'];
  readonly run: (exchange: Exchange) => Promise<void> | void;
}

/** Undefined when the target has no such method; `allowedMethods` tells which it has. */
export function findRoute(routes: Routes, target: Target, method: string): FoundRoute | undefined {
  // The compiler does not see that the kind of the target and of its routes is the same.
  const methods = routes[target.kind] as Readonly<Partial<Record<string, Route<Target['kind']>>>>;
  const route = Object.hasOwn(methods, method) ? methods[method] : undefined;
  return route && { action: route.action, run: (exchange) => route.run(exchange, target) };
}

export function allowedMethods(routes: Routes, target: Target): string {
  return Object.keys(routes[target.kind]).join(', ');
}
