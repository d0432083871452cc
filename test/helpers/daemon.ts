import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from '#client';
import { findLeftovers, sweepMounts, sweepNetwork } from './leftovers.ts';
import { type Slot, takeSlot } from './slot.ts';
import { until, within } from './until.ts';

const ownLauncher = new URL('../../bin/berthd', import.meta.url).pathname;
const logTailLines = 80;

export interface DaemonOptions {
  /** Added to the daemon's own. `BERTH_FAILPOINTS` is the one of most use. */
  env?: Readonly<Record<string, string>>;
  flags?: readonly string[];
  /** `debug` unless told, or what `BERTH_TEST_LOG_LEVEL` says. */
  logLevel?: string;
  /** The program; `bin/berthd` of this clone unless told. */
  launcher?: string;
}

/** A berthd of the test's own: own roots, socket, bridge and subnet. One process at a time, restartable. */
export class TestDaemon {
  readonly host: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly bridge: string;
  readonly client: ApiClient;
  /** Containers whose cgroups must be gone at the end. */
  readonly containerIds: Set<string> = new Set();
  readonly #directory: string;
  readonly #slot: Slot;
  readonly #options: DaemonOptions;
  #process: ChildProcess | undefined;

  private constructor(slot: Slot, options: DaemonOptions) {
    this.#slot = slot;
    this.#options = options;
    this.#directory = mkdtempSync(`/var/tmp/berth-test-${slot.number}-`);
    this.dataRoot = join(this.#directory, 'data');
    this.execRoot = join(this.#directory, 'exec');
    this.bridge = `btest${slot.number}`;
    this.host = `unix://${join(this.#directory, 'berth.sock')}`;
    this.client = new ApiClient({ host: this.host });
    writeFileSync(join(this.#directory, 'daemon.json'), '{}');
  }

  /** Starts one and waits until it answers. */
  static async start(options: DaemonOptions = {}): Promise<TestDaemon> {
    const daemon = new TestDaemon(await takeSlot(), options);
    try {
      await daemon.launch();
      return daemon;
    } catch (error) {
      daemon.printLog();
      await daemon.#kill('SIGKILL');
      daemon.#forget();
      throw error;
    }
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the daemon is not running');
    return this.#process.pid;
  }

  /** Starts the process anew on the same state; `env` adds to the options' for this run only. */
  async launch(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = this.spawn(env);
    await until(
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Exited(this.log());
        await this.client.ping();
        return true;
      },
      { what: `berthd at ${this.host}`, timeoutMs: 30_000, giveUp: (error) => error instanceof Exited },
    );
  }

  /** The process alone, without waiting for it to answer. */
  spawn(env: Readonly<Record<string, string>> = {}): ChildProcess {
    const log = openSync(this.logPath, 'a');
    const flags = [
      ['--data-root', this.dataRoot],
      ['--exec-root', this.execRoot],
      ['--pidfile', join(this.#directory, 'berthd.pid')],
      ['-H', this.host],
      ['--bridge', this.bridge],
      ['--bip', `10.199.${this.#slot.number}.1/24`],
      ['--log-level', this.#options.logLevel ?? process.env['BERTH_TEST_LOG_LEVEL'] ?? 'debug'],
      // A machine's own configuration is none of the test's business.
      ['--config-file', join(this.#directory, 'daemon.json')],
    ].flat();
    const child = spawn(this.#options.launcher ?? ownLauncher, [...flags, ...(this.#options.flags ?? [])], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#options.env, ...env },
    });
    closeSync(log);
    this.#process = child;
    return child;
  }

  get logPath(): string {
    return join(this.#directory, 'berthd.log');
  }

  log(): string {
    return existsSync(this.logPath) ? readFileSync(this.logPath, 'utf8') : '';
  }

  /** The end of the log, for whoever reads about a failed test. */
  printLog(): void {
    const tail = this.log().trimEnd().split('\n').slice(-logTailLines).join('\n');
    process.stderr.write(`--- end of berthd's log (${this.host}) ---\n${tail}\n---\n`);
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill9(): Promise<void> {
    await this.#kill('SIGKILL');
  }

  /** SIGTERM, and waits until the process is gone. Containers run on. */
  async terminate(): Promise<void> {
    await this.#kill('SIGTERM');
  }

  async restart(): Promise<void> {
    await this.terminate();
    await this.launch();
  }

  /** Resolves when the process is gone by itself (a fail point, a defect). */
  async exited(): Promise<void> {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) {
      await within(once(child, 'exit'), "berthd's exit", 60_000);
    }
    this.#process = undefined;
    this.client.close();
  }

  /** Removes every container, stops the daemon, and fails if anything of it is left in the kernel or on disk. */
  async stop(): Promise<void> {
    try {
      await this.#removeContainers();
      await this.terminate();
      const leftovers = await findLeftovers({
        dataRoot: this.dataRoot,
        execRoot: this.execRoot,
        bridge: this.bridge,
        containerIds: this.containerIds,
      });
      if (leftovers.length > 0) throw new Error(`left over after the daemon's end:\n${leftovers.join('\n')}`);
    } finally {
      await this.#kill('SIGKILL');
    }
  }

  /** Removes the files. The log is gone then. */
  async dispose(): Promise<void> {
    await this.#kill('SIGKILL');
    this.#forget();
  }

  async #removeContainers(): Promise<void> {
    const containers = await this.client.get<{ Id: string }[]>('/containers/json', { all: true });
    for (const { Id } of containers) this.containerIds.add(Id);
    await Promise.all(
      containers.map(async ({ Id }) => await this.client.delete(`/containers/${Id}`, { force: true, v: true })),
    );
  }

  async #kill(signal: NodeJS.Signals): Promise<void> {
    this.#process?.kill(signal);
    await this.exited();
  }

  #forget(): void {
    sweepNetwork(this.bridge);
    sweepMounts(this.#directory);
    rmSync(this.#directory, { recursive: true, force: true });
    this.#slot.release();
  }
}

/** The daemon ended before it answered; its log is the message. */
class Exited extends Error {
  constructor(log: string) {
    super(`berthd ended before it answered:\n${log.trimEnd().split('\n').slice(-logTailLines).join('\n')}`);
    this.name = 'Exited';
  }
}
