import { chmod, chown, lstat, mkdir, readFile, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { EngineError } from '#errors';
import { isErrno } from '#lib';

/** Reading and writing for the owner and the group that may use the engine. */
const socketMode = 0o660;

function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', (error) => settle(!isErrno(error, 'ECONNREFUSED', 'ENOENT')));
  });
}

/** Removes a socket file that a killed server left behind. @throws alreadyExists when it is in use or something else. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (!found) return;
  if (!found.isSocket()) {
    throw new EngineError('alreadyExists', 'NOT_A_SOCKET', `cannot listen on ${path}: it exists and is no socket`);
  }
  if (await somebodyListens(path)) {
    throw new EngineError('alreadyExists', 'SOCKET_IN_USE', `cannot listen on ${path}: another server uses it`);
  }
  await unlink(path);
}

async function findGroupId(name: string): Promise<number | undefined> {
  if (/^\d+$/.test(name)) return Number(name);
  const groups = await readFile('/etc/group', 'utf8').catch(() => '');
  const entry = groups.split('\n').find((line) => line.startsWith(`${name}:`));
  const id = entry?.split(':')[2];
  return id === undefined ? undefined : Number(id);
}

/** Who owns a unix socket beside root. */
export interface SocketGroup {
  /** Name or number. */
  name: string;
  /** Fail when there is no such group, instead of leaving the socket to root alone. */
  required: boolean;
}

/**
 * Makes `server` listen at `path` with mode 0660, its folders made as needed.
 *
 * @throws {@link EngineError} alreadyExists when another server listens there; notFound for a required group missing.
 */
export async function listenOnUnixSocket(server: Server, path: string, group: SocketGroup): Promise<void> {
  const groupId = await findGroupId(group.name);
  if (groupId === undefined && group.required) {
    throw new EngineError('notFound', 'NO_SUCH_GROUP', `group ${group.name} not found`);
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await removeStaleSocket(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  await chmod(path, socketMode);
  if (groupId !== undefined && process.getuid?.() === 0) await chown(path, 0, groupId);
}
