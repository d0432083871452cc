import type { Access, RepositoryAction } from './access.ts';
import type { Grant } from './tokens.ts';

const repositoryActions: readonly RepositoryAction[] = ['pull', 'push', 'delete'];
const maxScopes = 100;

/** Reads scopes such as `repository:team/app:pull,push`. What is malformed is left out, as are scopes beyond a hundred. */
export function parseScopes(texts: readonly string[]): Grant[] {
  return texts
    .flatMap((text) => text.split(' '))
    .slice(0, maxScopes)
    .flatMap((text) => {
      const match = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:([^ ]+):([a-z*,]*)$/.exec(text);
      if (!match) return [];
      const [, type = '', name = '', actions = ''] = match;
      return [{ type, name, actions: [...new Set(actions.split(',').filter((action) => action !== ''))] }];
    });
}

/** What of the wanted is granted. `*` and `delete` are the same to Docker's registry, so who may delete gets both. */
export function grantScopes(access: Access, wanted: readonly Grant[]): Grant[] {
  return wanted.flatMap((scope) => {
    if (scope.type === 'registry') {
      return scope.name === 'catalog' && access.mayListCatalog() ? [{ ...scope, actions: ['*'] }] : [];
    }
    if (scope.type !== 'repository') return [];
    const wants = (action: RepositoryAction): boolean => scope.actions.includes(action) || scope.actions.includes('*');
    const actions: string[] = repositoryActions.filter((action) => wants(action) && access.may(scope.name, action));
    return [{ ...scope, actions: scope.actions.includes('*') && actions.length === 3 ? [...actions, '*'] : actions }];
  });
}

/** What a token's grants allow. */
export function accessByGrants(user: string, grants: readonly Grant[]): Access {
  const has = (type: string, name: string, action: string): boolean =>
    grants.some(
      (grant) =>
        grant.type === type && grant.name === name && (grant.actions.includes(action) || grant.actions.includes('*')),
    );
  return {
    user,
    isAuthenticated: true,
    may: (repository, action) => has('repository', repository, action),
    mayListCatalog: () => has('registry', 'catalog', '*'),
  };
}
