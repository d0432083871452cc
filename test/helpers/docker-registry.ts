import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until, within } from './until.ts';

/** Debian's docker-registry on a free port of loopback, gone with the test: the other opinion about what we pull and push. */
export interface DockerRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  readonly url: string;
}

export interface DockerRegistryOptions {
  /** Asks for this user by basic authentication. */
  readonly user?: { readonly name: string; readonly password: string };
}

export async function startDockerRegistry(
  t: Pick<TestContext, 'after'>,
  options: DockerRegistryOptions = {},
): Promise<DockerRegistry> {
  const directory = mkdtempSync('/var/tmp/berth-docker-registry-');
  const configPath = join(directory, 'config.json');
  writeFileSync(configPath, JSON.stringify(configOf(directory, options)));
  const child = spawn('docker-registry', ['serve', configPath], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  t.after(async () => {
    await end(child);
    rmSync(directory, { recursive: true, force: true });
  });
  const port = await until(
    () => {
      if (child.exitCode !== null) throw new Error(`docker-registry ended: ${log}`);
      return /listening on 127\.0\.0\.1:(\d+)/.exec(log)?.[1];
    },
    { what: 'docker-registry to listen', giveUp: () => child.exitCode !== null },
  );
  return { host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}` };
}

function configOf(directory: string, { user }: DockerRegistryOptions): object {
  const htpasswd = join(directory, 'htpasswd');
  if (user) execFileSync('htpasswd', ['-cbB', htpasswd, user.name, user.password], { stdio: 'ignore' });
  return {
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0' },
    ...(user ? { auth: { htpasswd: { realm: 'test', path: htpasswd } } } : {}),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await within(once(child, 'exit'), "docker-registry's exit", 10_000);
}
