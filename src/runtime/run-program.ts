import { spawn } from 'node:child_process';

const MAX_OUTPUT_BYTES = 1 << 20;

export interface ProgramResult {
  /** 128 + signal when killed by one. */
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end and collects what it says, up to a megabyte. @throws when it cannot be started. */
export async function runProgram(path: string, args: readonly string[]): Promise<ProgramResult> {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' });
  const closed = Promise.withResolvers<number>();
  child.once('error', closed.reject);
  child.once('close', (code, signal) => closed.resolve(code ?? (signal === null ? 255 : 128)));
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const exitCode = await closed.promise;
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  let total = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (total < MAX_OUTPUT_BYTES) chunks.push(chunk);
    total += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
