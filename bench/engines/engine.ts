import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
}

/** An engine under measurement, on roots of its own, with the benchmark image in it. */
export interface BenchEngine {
  readonly name: string;
  readonly version: string;
  /** The program and its leading arguments: the docker CLI at this engine's socket, or podman itself. */
  readonly cli: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** This engine's own CLI, for the benchmark of its start. */
  readonly ownCli: readonly string[];
  /** Processes that are the engine: daemons, shims, monitors; no container. */
  processes(): number[];
  stop(): Promise<void>;
}

export const image = 'berth-bench/busybox:latest';

/** Runs the engine's CLI; output that nobody asks for goes to /dev/null, as cheaply as it can. */
export async function cli(
  engine: BenchEngine,
  args: readonly string[],
  options: { capture?: boolean; stdin?: number } = {},
): Promise<RunResult> {
  const [program = '', ...leading] = engine.cli;
  const child = spawn(program, [...leading, ...args], {
    env: { ...process.env, ...engine.env },
    stdio: [options.stdin ?? 'ignore', options.capture ? 'pipe' : 'ignore', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 137));
  });
  if (exitCode !== 0) throw new Error(`${engine.name}: ${args.join(' ')} ended with ${exitCode}: ${stderr.trim()}`);
  return { exitCode, stdout };
}

/** Processes whose command line matches. */
export function processesNamed(matches: (commandLine: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return matches(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {
        // Gone meanwhile.
        return false;
      }
    })
    .map(Number);
}

/** Memory of processes in MiB, pages they share counted once each by their share. */
export function residentMiB(pids: readonly number[]): number {
  const kib = pids.map((pid) => {
    try {
      return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return kib.reduce((sum, value) => sum + value, 0) / 1024;
}
