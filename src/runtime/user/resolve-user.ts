import { EngineError } from '#errors';
import { type OpenBeneath, RootFiles } from '../files/root-files.ts';
import type { ResolvedUser } from '../spec/build-spec.ts';
import { type GroupEntry, MAX_ID, parseGroup, parseId, type PasswdEntry, parsePasswd } from './user-database.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** `/etc/passwd` and `/etc/group` of a container; undefined where there is none. */
export interface UserFiles {
  passwd: string | undefined;
  group: string | undefined;
}

/**
 * The user that a container's `User` (`user`, `uid`, `user:group`, …) means, by the container's own files.
 *
 * @param rootPath - The container's root on the host, or `/proc/<pid>/root`.
 * @param groupAdd - More groups (`HostConfig.GroupAdd`), by name or id.
 * @throws invalidArgument with Docker's texts: unknown names, ids out of range.
 */
export function resolveUser(
  rootPath: string,
  user: string,
  groupAdd: readonly string[],
  kernel: OpenBeneath,
): ResolvedUser {
  using root = new RootFiles(rootPath, kernel);
  const files = {
    passwd: root.readText('/etc/passwd', MAX_FILE_BYTES),
    group: root.readText('/etc/group', MAX_FILE_BYTES),
  };
  return findUser(user, groupAdd, files);
}

/** {@link resolveUser} on files read already. */
export function findUser(user: string, groupAdd: readonly string[], files: UserFiles): ResolvedUser {
  const [userPart = '', groupPart = '', ...more] = user.split(':');
  if (more.length > 0)
    throw invalid('INVALID_USER', `invalid user ${JSON.stringify(user)}: it has more than two parts`);
  const groups = parseGroup(files.group ?? '');
  const { uid, entry } = findUid(userPart, parsePasswd(files.passwd ?? ''));
  const named = groupPart === '' ? undefined : findGid(groupPart, groups);
  const gid = named ?? entry?.gid ?? 0;
  // Groups by membership count only when no group was named.
  const memberOf = entry && named === undefined ? groups.filter(({ members }) => members.includes(entry.name)) : [];
  const added = groupAdd.map((name) => findGid(name, groups));
  return {
    uid,
    gid,
    additionalGids: [...new Set([gid, ...memberOf.map((group) => group.gid), ...added])],
    home: entry?.home || '/',
  };
}

/** A number is always an id, also where a user has that number for a name. */
function findUid(user: string, entries: readonly PasswdEntry[]): { uid: number; entry: PasswdEntry | undefined } {
  const id = user === '' ? 0 : parseId(user);
  if (id === 'range') throw outOfRange();
  if (id !== undefined) return { uid: id, entry: entries.find(({ uid }) => uid === id) };
  const entry = entries.find(({ name }) => name === user);
  if (entry) return { uid: entry.uid, entry };
  throw invalid('NO_SUCH_USER', `unable to find user ${user}: no matching entries in passwd file`);
}

function findGid(group: string, entries: readonly GroupEntry[]): number {
  const id = parseId(group);
  if (id === 'range') throw outOfRange();
  const gid = id ?? entries.find(({ name }) => name === group)?.gid;
  if (gid === undefined) {
    throw invalid('NO_SUCH_GROUP', `unable to find group ${group}: no matching entries in group file`);
  }
  return gid;
}

function outOfRange(): EngineError {
  return invalid('ID_OUT_OF_RANGE', `uids and gids must be in range 0-${MAX_ID}`);
}

function invalid(code: string, message: string): EngineError {
  return new EngineError('invalidArgument', code, message);
}
