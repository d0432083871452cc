import type { IncomingMessage } from 'node:http';
import { registryError } from '../errors.ts';
import { type Access, openAccess, type RepositoryAction } from './access.ts';

/** What a request was refused for. */
export interface Wanted {
  /** Undefined: the registry itself, or its catalog. */
  readonly repository?: string | undefined;
  readonly actions: readonly (RepositoryAction | 'catalog')[];
}

/** Tells who a request is from. */
export interface Authenticator {
  /** @throws {@link EngineError} UNAUTHORIZED for wrong credentials, TOOMANYREQUESTS after many of them. */
  authenticate(request: IncomingMessage): Promise<Access>;
  /** The answer for who may not do what he wants: come with (other) credentials, or do not come again. */
  refuse(request: IncomingMessage, access: Access, wanted: Wanted): Error;
  /** Whether `GET /v2/` must ask for credentials, which is how clients learn that there are any. */
  readonly asksAtBase: boolean;
}

/** Everybody may do everything. */
export const noAuthentication: Authenticator = {
  authenticate: () => Promise.resolve(openAccess),
  refuse: () => registryError('DENIED'),
  asksAtBase: false,
};
