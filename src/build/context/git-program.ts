import { spawn } from 'node:child_process';
import { EngineError } from '#errors';
import { isErrno } from '#lib';

/** Enough to tell why it failed. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/**
 * Settings that no repository can overrule: none of its hooks or helpers run, and it leads to no files of this host. They are given by the
 * environment, so that the programs that git starts have them as well.
 */
const settings: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.askPass': 'true',
  'credential.helper': '',
  'protocol.allow': 'never',
  'protocol.http.allow': 'always',
  'protocol.https.allow': 'always',
  'protocol.git.allow': 'always',
  'protocol.ssh.allow': 'always',
  'submodule.recurse': 'false',
  'transfer.fsckObjects': 'true',
  'init.defaultBranch': 'main',
  'advice.detachedHead': 'false',
};

function environment(home: string): NodeJS.ProcessEnv {
  const entries = Object.entries(settings);
  const proxies = Object.entries(process.env).filter(([name]) => /^(?:https?|all|no)_proxy$/i.test(name));
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes',
    GIT_ALLOW_PROTOCOL: 'http:https:git:ssh',
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(
      entries.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
    ...Object.fromEntries(proxies),
  };
}

/**
 * Runs git to its end; answers what it printed.
 *
 * @param cwd - the repository, and its home.
 * @throws internal with git's own words; unavailable when there is no git; cancelled.
 */
export async function runGit(cwd: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  // A group of its own, so that its helpers end with it.
  const child = spawn('git', args, { cwd, env: environment(cwd), stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  signal.addEventListener('abort', stop, { once: true });
  const closed = Promise.withResolvers<number>();
  child.once('error', closed.reject);
  child.once('close', (code) => closed.resolve(code ?? -1));
  const output = collect(child.stdout);
  const complaint = collect(child.stderr);
  try {
    const exitCode = await closed.promise;
    signal.throwIfAborted();
    if (exitCode === 0) return output();
    throw new EngineError('internal', 'GIT_FAILED', `git ${args[0] ?? ''}: ${complaint().trim()}`);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new EngineError(
      'unavailable',
      'NO_GIT',
      'git is not installed; repositories as contexts and in ADD need it',
      {
        cause: error,
      },
    );
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let total = 0;
  stream.on('data', (chunk: Buffer) => {
    if (total < MAX_OUTPUT_BYTES) chunks.push(chunk);
    total += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
