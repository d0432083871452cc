import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until, within } from '../../helpers/until.ts';
import { scratch, type KeyPair } from './certificates.ts';

export interface DockerRegistryOptions {
  /** The lines of an htpasswd file with bcrypt. */
  readonly htpasswd?: string;
  readonly tls?: KeyPair;
  /** `127.0.0.1` unless told. */
  readonly address?: string;
}

/** Debian's docker-registry, with a folder and a port of its own; gone with the test. @returns `<address>:<port>` */
export async function dockerRegistry(t: TestContext, options: DockerRegistryOptions = {}): Promise<string> {
  const directory = scratch(t);
  const address = options.address ?? '127.0.0.1';
  const passwordPath = join(directory, 'htpasswd');
  if (options.htpasswd !== undefined) writeFileSync(passwordPath, options.htpasswd);
  const tls = options.tls && { certificate: options.tls.certPath, key: options.tls.keyPath };
  const config = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
    http: { addr: `${address}:0`, secret: 'only for tests', ...(tls ? { tls } : {}) },
    ...(options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'Test registry', path: passwordPath } } }),
  };
  const configPath = join(directory, 'config.yml');
  // JSON is YAML.
  writeFileSync(configPath, JSON.stringify(config));
  const logPath = join(directory, 'log');
  const log = openSync(logPath, 'a');
  const child = spawn('docker-registry', ['serve', configPath], { stdio: ['ignore', log, log] });
  closeSync(log);
  t.after(() => stop(child));
  return await until(
    () => {
      const text = readFileSync(logPath, 'utf8');
      if (child.exitCode !== null) throw new Error(`docker-registry ended:\n${text}`);
      const port = /listening on [^"]*?:(\d+)/.exec(text)?.[1];
      return port === undefined ? undefined : `${address}:${port}`;
    },
    { what: 'docker-registry to listen', giveUp: (error) => String(error).includes('docker-registry ended') },
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await within(gone, "docker-registry's exit");
}
