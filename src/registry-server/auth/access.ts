/** What may be done with a repository. */
export type RepositoryAction = 'pull' | 'push' | 'delete';

/** Who asks, and what they may do. */
export interface Access {
  /** Empty: anonymous. */
  readonly user: string;
  /** Valid credentials came along, be it a token that nobody in particular got. */
  readonly isAuthenticated: boolean;
  may(repository: string, action: RepositoryAction): boolean;
  /** May list all repositories. */
  mayListCatalog(): boolean;
}

/** A registry without authentication. */
export const openAccess: Access = { user: '', isAuthenticated: false, may: () => true, mayListCatalog: () => true };
