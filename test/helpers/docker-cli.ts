import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const extracted = new URL('../../.cache/docker-cli/usr/bin', import.meta.url).pathname;

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  stdin?: string;
  timeoutMs?: number;
  env?: Readonly<Record<string, string>>;
}

/**
 * Path of the stock docker CLI, from the system or as `scripts/setup --tests` laid it down.
 *
 * @throws Error when there is none: a suite that needs it must not pass without it.
 */
export function dockerCliPath(): string {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), extracted];
  const found = directories.map((directory) => join(directory, 'docker')).find(isExecutable);
  if (found === undefined) throw new Error('no docker CLI on this machine; run scripts/setup --tests');
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program to its end and collects what it says; SIGKILL (exit code 137) when it takes too long. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const child = spawn(program, args, { env: { ...process.env, ...options.env } });
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
  const collected = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (collected.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (collected.stderr += text));
  // A program that ends without reading its input is no failure of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin ?? '');
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 137));
    });
    return { exitCode, ...collected };
  } finally {
    clearTimeout(timer);
  }
}
