import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { isErrno } from '#lib';
import { type CheckOptions, type CheckReport, checkStorage } from './storage/check.ts';
import { collectGarbage, type CollectedGarbage, type CollectOptions } from './storage/collect.ts';
import type { RegistryStorage } from './storage/registry-storage.ts';

/** What a command asks of whoever works in a registry's directory. */
export type ControlTask =
  | { readonly task: 'collect'; readonly options: CollectOptions }
  | { readonly task: 'check'; readonly options: CheckOptions };
export type ControlAnswer = CollectedGarbage | CheckReport;

/** Does a task with the storage at hand. */
export async function perform(storage: RegistryStorage, task: ControlTask): Promise<ControlAnswer> {
  return task.task === 'collect'
    ? await collectGarbage(storage, task.options)
    : await checkStorage(storage, task.options);
}

function socketPath(root: string): string {
  return join(root, 'control.sock');
}

/** Takes tasks on a socket in the registry's directory, which only its owner may enter. */
export async function listenForTasks(
  root: string,
  work: (task: ControlTask) => Promise<ControlAnswer>,
): Promise<Server> {
  const server = createServer((incoming, response) => {
    const answer = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const task = JSON.parse(Buffer.concat(chunks).toString()) as ControlTask;
      response.end(JSON.stringify(await work(task)));
    };
    answer().catch((error: unknown) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ message: error instanceof Error ? error.message : String(error) }));
    });
  });
  server.requestTimeout = 0;
  // We hold the directory's lock, so a socket that is there is a dead process's.
  rmSync(socketPath(root), { force: true });
  server.listen(socketPath(root));
  await once(server, 'listening');
  chmodSync(socketPath(root), 0o600);
  return server;
}

/** Hands a task to the registry that runs on this directory; undefined when none does. */
export async function askRunningRegistry(root: string, task: ControlTask): Promise<ControlAnswer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<ControlAnswer | undefined>();
  const outgoing = request({ socketPath: socketPath(root), method: 'POST', path: '/' }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.once('error', reject);
    response.once('end', () => {
      const value = JSON.parse(Buffer.concat(chunks).toString()) as ControlAnswer & { message?: string };
      if (response.statusCode === 200) resolve(value);
      else reject(new EngineError('internal', 'CONTROL_FAILED', `the running registry: ${value.message ?? ''}`));
    });
  });
  outgoing.once('error', (error) => (isErrno(error, 'ENOENT', 'ECONNREFUSED') ? resolve(undefined) : reject(error)));
  outgoing.end(JSON.stringify(task));
  return await promise;
}
