import type { ApiClient } from '#client';
import type { ConfigFile } from './config/config-file.ts';
import type { GlobalFlags } from './global-flags.ts';
import type { CliIo } from './io.ts';

/** What every command gets: who it was called as, where it writes, and the daemon it talks to. */
export class CliContext {
  /** The program's name as it was called: `berth` or `docker`. Texts name it. */
  readonly program: string;
  /** Program and command as typed, `berth container ls`, for "Run '… --help'". */
  readonly commandPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly globals: GlobalFlags;
  readonly io: CliIo;
  #client: Promise<ApiClient> | undefined;
  #config: ConfigFile | undefined;
  readonly #loadConfig: () => ConfigFile;

  constructor(parts: {
    program: string;
    commandPath: string;
    env: Readonly<Record<string, string | undefined>>;
    globals: GlobalFlags;
    io: CliIo;
    loadConfig: () => ConfigFile;
  }) {
    this.program = parts.program;
    this.commandPath = parts.commandPath;
    this.env = parts.env;
    this.globals = parts.globals;
    this.io = parts.io;
    this.#loadConfig = parts.loadConfig;
  }

  /** The user's `config.json`, read on first use. */
  get config(): ConfigFile {
    this.#config ??= this.#loadConfig();
    return this.#config;
  }

  /** The client of the daemon that flags, environment and contexts choose. Nothing is connected yet. */
  client(): Promise<ApiClient> {
    this.#client ??= this.#makeClient();
    return this.#client;
  }

  /** Writes to standard output. */
  out(chunk: string | Uint8Array): void {
    this.io.out(chunk);
  }

  /** Writes to standard error. */
  err(chunk: string | Uint8Array): void {
    this.io.err(chunk);
  }

  /** Lets go of the connection, if there is one. */
  async close(): Promise<void> {
    if (!this.#client) return;
    const client = await this.#client.catch(() => undefined);
    client?.close();
  }

  async #makeClient(): Promise<ApiClient> {
    const { createClient } = await import('./config/create-client.ts');
    return await createClient(this);
  }
}
