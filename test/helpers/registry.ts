import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until, within } from './until.ts';

const launcher = new URL('../../bin/berth-registry', import.meta.url).pathname;

export interface RegistryOptions {
  /** The configuration file; `root` and `listen` are filled in. */
  config?: Readonly<Record<string, unknown>>;
  env?: Readonly<Record<string, string>>;
}

/** A registry of the test's own, on a free port of loopback. One process at a time, restartable. */
export class TestRegistry {
  readonly directory: string;
  readonly root: string;
  config: Readonly<Record<string, unknown>>;
  readonly #env: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #address: string;

  private constructor(options: RegistryOptions) {
    this.directory = mkdtempSync('/var/tmp/berth-registry-test-');
    this.root = join(this.directory, 'root');
    this.config = options.config ?? {};
    this.#env = options.env ?? {};
    this.#address = '127.0.0.1:0';
  }

  /** Starts one and waits until it listens. */
  static async start(options: RegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(options);
    try {
      await registry.launch();
      return registry;
    } catch (error) {
      registry.printLog();
      await registry.dispose();
      throw error;
    }
  }

  /** `127.0.0.1:<port>`. */
  get host(): string {
    return this.#address;
  }

  get url(): string {
    return `${'tls' in this.config ? 'https' : 'http'}://${this.#address}`;
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the registry is not running');
    return this.#process.pid;
  }

  /** Starts the process anew on the same directory and port. */
  async launch(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const start = this.log().length;
    const log = openSync(this.#logPath, 'a');
    writeFileSync(this.configPath, JSON.stringify({ ...this.config, root: this.root, listen: this.#address }));
    const child = spawn(launcher, ['serve', '--config', this.configPath], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#env, ...env },
    });
    closeSync(log);
    this.#process = child;
    this.#address = await until(
      () => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Ended(this.log().slice(start));
        return /"registry is ready","address":"([^"]+)"/.exec(this.log().slice(start))?.[1];
      },
      { what: 'the registry to listen', giveUp: (error) => error instanceof Ended },
    );
  }

  get configPath(): string {
    return join(this.directory, 'config.json');
  }

  get #logPath(): string {
    return join(this.directory, 'registry.log');
  }

  log(): string {
    return existsSync(this.#logPath) ? readFileSync(this.#logPath, 'utf8') : '';
  }

  printLog(): void {
    process.stderr.write(`--- end of the registry's log ---\n${this.log().split('\n').slice(-60).join('\n')}\n---\n`);
  }

  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async terminate(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Resolves when the process is gone by itself (a fail point). */
  async exited(): Promise<void> {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) {
      await within(once(child, 'exit'), "the registry's exit", 30_000);
    }
    this.#process = undefined;
  }

  /** Ends the process and removes the files. */
  async dispose(): Promise<void> {
    await this.#end('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#process?.kill(signal);
    await this.exited();
  }
}

/** The registry ended before it listened; its log is the message. */
class Ended extends Error {
  constructor(log: string) {
    super(`the registry ended before it listened:\n${log.trimEnd()}`);
    this.name = 'Ended';
  }
}
