import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until, within } from './until.ts';

/** Rows and columns a {@link Terminal} has. */
export const terminalSize = { rows: 30, columns: 100 } as const;

/** A program in a pseudo-terminal of its own, typed to and read by a test. */
export class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  #seen = '';

  /** Starts a shell line in a terminal. util-linux's `script` makes the terminal. */
  constructor(line: string, env: Readonly<Record<string, string>>) {
    const { rows, columns } = terminalSize;
    const sized = `stty rows ${rows} cols ${columns}; ${line}`;
    this.#child = spawn('script', ['-qefc', sized, '/dev/null'], { env: { ...process.env, ...env, SHELL: '/bin/sh' } });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#seen += text));
    this.#child.stdin.on('error', () => undefined);
  }

  /** Everything shown so far, carriage returns taken out. */
  get text(): string {
    return this.#seen.replaceAll('\r', '');
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Waits until the terminal shows this. */
  async shows(pattern: RegExp): Promise<void> {
    try {
      await until(() => pattern.test(this.text), { what: `${pattern} on the terminal` });
    } catch (error) {
      throw new Error(`the terminal shows ${JSON.stringify(this.text)}`, { cause: error });
    }
  }

  /** The exit code of the line. */
  async exit(): Promise<number> {
    if (this.#child.exitCode === null) await within(once(this.#child, 'exit'), 'the end of the terminal');
    return this.#child.exitCode ?? -1;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
