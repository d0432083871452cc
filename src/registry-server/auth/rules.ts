import { matchesGlob } from '../config/globs.ts';
import type { Access, RepositoryAction } from './access.ts';

/** Grants; nothing takes a right away. */
export interface AccessRule {
  /** Names; `*` is everybody who has logged in, `anonymous` everybody else. */
  readonly users: readonly string[];
  /** Patterns: `team/*`, `public/**`. */
  readonly repositories: readonly string[];
  readonly actions: readonly (RepositoryAction | 'catalog' | '*')[];
}

/** What a user (empty: anonymous) may do. Without any rule those who have logged in may do everything. */
export function accessByRules(rules: readonly AccessRule[] | undefined, user: string): Access {
  const own = (rules ?? [everything]).filter(({ users }) =>
    users.some((name) => (user === '' ? name === 'anonymous' : name === '*' || name === user)),
  );
  const grants = (action: RepositoryAction | 'catalog', isMatch: (rule: AccessRule) => boolean): boolean =>
    own.some((rule) => (rule.actions.includes(action) || rule.actions.includes('*')) && isMatch(rule));
  return {
    user,
    isAuthenticated: user !== '',
    may: (repository, action) =>
      grants(action, (rule) => rule.repositories.some((pattern) => matchesGlob(pattern, repository))),
    mayListCatalog: () => grants('catalog', () => true),
  };
}

const everything: AccessRule = { users: ['*'], repositories: ['**'], actions: ['*'] };

/** Everybody may pull everything, beside what the rules grant. */
export const anonymousPull: AccessRule = { users: ['*', 'anonymous'], repositories: ['**'], actions: ['pull'] };
