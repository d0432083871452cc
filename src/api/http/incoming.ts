import { IncomingMessage } from 'node:http';
import type { RouteMatch } from '../router.ts';
import type { VersionedPath } from '../version.ts';

/** A request's target, taken apart once. */
export interface Target extends VersionedPath {
  search: string;
  match: RouteMatch | undefined;
  /** Set when the target cannot be read at all. */
  malformed: boolean;
}

export type FindTarget = (method: string, url: string) => Target;

/** A request that knows its route. */
export interface RoutedRequest extends IncomingMessage {
  readonly target: Target;
}

const parsedUpgrade = Symbol('parsedUpgrade');
const cachedTarget = Symbol('cachedTarget');

/**
 * The class of requests for `http.createServer`.
 *
 * It tells the parser of requests to raw routes as of requests that ask for an upgrade, with or without that header: the
 * parser then stops behind the head and hands over the connection in the `upgrade` event, with every byte that came after.
 * Otherwise it would take a client's stdin for its next request.
 */
export function routedRequestClass(findTarget: FindTarget): typeof IncomingMessage {
  return class extends IncomingMessage {
    declare [parsedUpgrade]: boolean | null;
    declare [cachedTarget]: Target | undefined;

    /** Set by the parser from the headers, asked by the server when method and URL are known. */
    get upgrade(): boolean {
      if (this[parsedUpgrade] === true) return true;
      return this.method !== undefined && this.method !== null && wantsRaw(this.target);
    }

    set upgrade(value: boolean | null) {
      this[parsedUpgrade] = value;
    }

    get target(): Target {
      return (this[cachedTarget] ??= findTarget(this.method ?? '', this.url ?? ''));
    }
  };
}

/** Whether the route of `target` takes over the connection. */
export function wantsRaw(target: Target): boolean {
  return target.match?.route.handler.kind === 'raw';
}
