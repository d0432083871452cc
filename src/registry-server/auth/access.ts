/** What may be done with a repository. */
export type RepositoryAction = 'pull' | 'push' | 'delete';

/** Who asks, and what they may do. */
export interface Access {
  /** Empty: anonymous. */
  readonly user: string;
  may(repository: string, action: RepositoryAction): boolean;
  /** May list all repositories. */
  mayListCatalog(): boolean;
}

/** A registry without authentication. */
export const openAccess: Access = { user: '', may: () => true, mayListCatalog: () => true };
