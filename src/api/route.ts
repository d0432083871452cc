import type { Exchange } from './http/exchange.ts';
import type { RawExchange } from './http/raw-exchange.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';

export type QueryType = 'string' | 'strings' | 'integer' | 'boolean' | 'filters' | 'time';

/** What the description of the API says about a route, beside its method and path. */
export interface RouteDoc {
  tag: string;
  summary: string;
  /** First API version that has it, as the number after `1.`; older clients may call it all the same, as with Docker. */
  since?: number;
  query?: Readonly<Record<string, QueryType>>;
  /** Name of the JSON shape of the body, or `stream` for bytes. */
  body?: string;
  /** Statuses it answers with, 400 and 500 aside. */
  statuses: readonly number[];
  /** Name of the JSON shape of the answer, or what else it is. */
  answer?: string;
}

/** How a route is served. */
export type Handler =
  | { kind: 'answer'; run(exchange: Exchange): Promise<void> | void }
  /** Gets the bare connection right after the request's head: see `RawExchange`. */
  | { kind: 'raw'; run(exchange: RawExchange): Promise<void> }
  /** Part of Docker's API, but not of ours yet: 501. */
  | { kind: 'unbuilt' };

/**
 * One row of the table. In `path`, `{id}` is one or more segments, since names may contain slashes; what
 * follows it must match too (`/images/{name}/json` serves the image `library/busybox`).
 */
export interface Route {
  method: Method;
  path: string;
  doc: RouteDoc;
  handler: Handler;
}

export function answer(
  method: Method,
  path: string,
  doc: RouteDoc,
  run: (exchange: Exchange) => Promise<void> | void,
): Route {
  return { method, path, doc, handler: { kind: 'answer', run } };
}

export function raw(method: Method, path: string, doc: RouteDoc, run: (exchange: RawExchange) => Promise<void>): Route {
  return { method, path, doc, handler: { kind: 'raw', run } };
}

export function unbuilt(method: Method, path: string, doc: RouteDoc): Route {
  return { method, path, doc, handler: { kind: 'unbuilt' } };
}

/** The rows `make` gives for `backend`, or, while there is no backend, the same rows unbuilt. */
export function routesOf<B extends object>(backend: B | undefined, make: (backend: B) => Route[]): Route[] {
  if (backend) return make(backend);
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the rows' texts are read, never called */
  return make({} as B).map(({ method, path, doc }) => unbuilt(method, path, doc));
}
