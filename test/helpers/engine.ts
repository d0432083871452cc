import { after, afterEach, before, type TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { ApiClient, ApiError, demultiplex, type HijackedStream, type Query } from '#client';
import type {
  ContainerConfig,
  ContainerInspect,
  ExecCreateRequest,
  ExecInspect,
  HostConfig,
  NetworkCreateRequest,
  NetworkInspect,
  NetworkingConfig,
} from '#spec';
import { busybox, ensureBusybox } from './busybox-image.ts';
import { type CliOptions, type CliResult, dockerCliPath, runProgram } from './docker-cli.ts';
import { type DaemonOptions, TestDaemon } from './daemon.ts';
import { EventStream } from './event-stream.ts';
import { externalHost } from './target.ts';
import { within } from './until.ts';

const ownCli = new URL('../../bin/berth', import.meta.url).pathname;

/** Body of a create request with the image filled in. */
export type CreateBody = Partial<ContainerConfig> & {
  HostConfig?: Partial<HostConfig>;
  NetworkingConfig?: Partial<NetworkingConfig>;
};

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The engine a test file talks to, and shorthands for what tests do with it. Containers made through it are removed
 * when their test ends.
 */
export class TestEngine {
  #daemon: TestDaemon | undefined;
  #client: ApiClient | undefined;

  async open(options: DaemonOptions): Promise<void> {
    if (externalHost === undefined) {
      this.#daemon = await TestDaemon.start(options);
      this.#client = this.#daemon.client;
    } else {
      this.#client = new ApiClient({ host: externalHost });
    }
    await ensureBusybox(this.client);
  }

  async close(failed: boolean): Promise<void> {
    try {
      await this.#daemon?.stop();
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      if (failed) this.#daemon?.printLog();
      await this.#daemon?.dispose();
      this.#client?.close();
    }
  }

  get client(): ApiClient {
    if (!this.#client) throw new Error('the engine starts in before(): use it inside tests only');
    return this.#client;
  }

  /** Berth's own process; only in tests that skip other engines. */
  get daemon(): TestDaemon {
    if (!this.#daemon) throw new Error('the engine under test is not ours');
    return this.#daemon;
  }

  get host(): string {
    return this.client.host;
  }

  async create(t: TestContext, body: CreateBody = {}, name?: string): Promise<string> {
    const query: Query = name === undefined ? {} : { name };
    const { Id } = await this.client.post<{ Id: string }>('/containers/create', query, {
      json: { Image: busybox, ...body },
    });
    this.removeAfter(t, Id);
    return Id;
  }

  /** Removes a container, by ID or name, when the test ends; it may be gone by then. */
  removeAfter(t: TestContext, container: string): void {
    if (/^[0-9a-f]{64}$/.test(container)) this.#daemon?.containerIds.add(container);
    t.after(async () => await this.remove(container));
  }

  /** Removes by force. Gone, or just going, is fine. */
  async remove(container: string): Promise<void> {
    try {
      await this.client.delete(`/containers/${container}`, { force: true, v: true });
    } catch (error) {
      const gone = error instanceof ApiError && (error.status === 404 || /already in progress/.test(error.message));
      if (!gone) throw error;
    }
  }

  /** Makes a network that goes with the test, and whatever is still on it. */
  async createNetwork(t: TestContext, name: string, body: Partial<NetworkCreateRequest> = {}): Promise<string> {
    const { Id } = await this.client.post<{ Id: string }>('/networks/create', {}, { json: { Name: name, ...body } });
    t.after(async () => await this.removeNetwork(Id));
    return Id;
  }

  /** Removes a network with the containers on it. Gone is fine. */
  async removeNetwork(ref: string): Promise<void> {
    try {
      const { Containers } = await this.client.get<NetworkInspect>(`/networks/${ref}`);
      for (const id of Object.keys(Containers)) await this.remove(id);
      await this.client.delete(`/networks/${ref}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  async start(id: string): Promise<void> {
    await this.client.post(`/containers/${id}/start`);
  }

  /** Creates and starts; the command is a shell line. */
  async run(t: TestContext, script: string, body: CreateBody = {}, name?: string): Promise<string> {
    const id = await this.create(t, { Cmd: ['sh', '-c', script], ...body }, name);
    await this.start(id);
    return id;
  }

  /** A container that does nothing until it is told to stop, and then does so at once. */
  async runIdle(t: TestContext, body: CreateBody = {}, name?: string): Promise<string> {
    return await this.run(t, 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done', body, name);
  }

  /** Runs a shell line in a container of its own to the end. */
  async output(t: TestContext, script: string, body: CreateBody = {}): Promise<Output & { exitCode: number }> {
    const id = await this.run(t, script, body);
    const exitCode = await this.wait(id);
    return { exitCode, ...(await this.logs(id)) };
  }

  async inspect(id: string): Promise<ContainerInspect> {
    return await this.client.get<ContainerInspect>(`/containers/${id}/json`);
  }

  async status(id: string): Promise<string> {
    return (await this.inspect(id)).State.Status;
  }

  /** The exit code, once the condition (`not-running` unless told) holds. */
  async wait(id: string, condition?: string, timeoutMs = 30_000): Promise<number> {
    const query: Query = condition === undefined ? {} : { condition };
    const signal = AbortSignal.timeout(timeoutMs);
    const result = await this.client.post<{ StatusCode: number }>(`/containers/${id}/wait`, query, { signal });
    return result.StatusCode;
  }

  async logs(id: string, query: Query = {}, tty = false): Promise<Output> {
    const response = await this.client.send({
      method: 'GET',
      path: `/containers/${id}/logs`,
      query: { stdout: true, stderr: true, ...query },
      signal: AbortSignal.timeout(30_000),
    });
    return tty ? { stdout: await response.text(), stderr: '' } : await collect(response);
  }

  async attach(id: string, query: Query): Promise<HijackedStream> {
    return await this.client.hijack({ method: 'POST', path: `/containers/${id}/attach`, query });
  }

  async createExec(id: string, body: Partial<ExecCreateRequest>): Promise<string> {
    const created = await this.client.post<{ Id: string }>(`/containers/${id}/exec`, {}, { json: body });
    return created.Id;
  }

  async startExec(execId: string, tty = false): Promise<HijackedStream> {
    return await this.client.hijack({
      method: 'POST',
      path: `/exec/${execId}/start`,
      json: { Detach: false, Tty: tty },
    });
  }

  async inspectExec(execId: string): Promise<ExecInspect> {
    return await this.client.get<ExecInspect>(`/exec/${execId}/json`);
  }

  /** Executes to the end. */
  async exec(
    id: string,
    script: string,
    body: Partial<ExecCreateRequest> = {},
  ): Promise<Output & { exitCode: number | null }> {
    const execId = await this.createExec(id, {
      Cmd: ['sh', '-c', script],
      AttachStdout: true,
      AttachStderr: true,
      ...body,
    });
    const stream = await this.startExec(execId, body.Tty);
    const output = await within(body.Tty ? collectRaw(stream) : collect(stream), `the end of exec ${script}`, 30_000);
    stream.destroy();
    const { ExitCode } = await this.inspectExec(execId);
    return { exitCode: ExitCode, ...output };
  }

  /** Live events from now on; closed when the test ends. */
  async events(t: TestContext, filters: Readonly<Record<string, readonly string[]>> = {}): Promise<EventStream> {
    const stream = await EventStream.open(this.client, filters);
    t.after(() => stream.close());
    return stream;
  }

  /** Our own CLI against this engine. */
  async berth(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return await runProgram(ownCli, args, {
      ...options,
      env: { DOCKER_HOST: this.host, DOCKER_CONTEXT: '', ...options.env },
    });
  }

  /** The stock docker CLI against this engine. */
  async docker(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return await runProgram(dockerCliPath(), args, {
      ...options,
      env: { DOCKER_HOST: this.host, DOCKER_CONTEXT: '', ...options.env },
    });
  }
}

/** Registers the engine's start and end with the file's hooks. */
export function useEngine(options: DaemonOptions = {}): TestEngine {
  const engine = new TestEngine();
  let failed = false;
  before(async () => await engine.open(options));
  afterEach((t) => {
    if ('passed' in t && !t.passed) failed = true;
  });
  after(async () => await engine.close(failed));
  return engine;
}

/** A multiplexed stream to its end. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Output> {
  const output: { stdout: Uint8Array[]; stderr: Uint8Array[] } = { stdout: [], stderr: [] };
  for await (const { stream, bytes } of demultiplex(source)) {
    output[stream === 'stderr' ? 'stderr' : 'stdout'].push(bytes);
  }
  return { stdout: Buffer.concat(output.stdout).toString(), stderr: Buffer.concat(output.stderr).toString() };
}

/** A terminal's stream to its end. */
export async function collectRaw(source: AsyncIterable<Uint8Array>): Promise<Output> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return { stdout: Buffer.concat(chunks).toString(), stderr: '' };
}

/**
 * Asserts that the engine refuses with this text and status. Several statuses: Docker answers the first, a plain 500
 * for what is the caller's mistake, and the others are as good.
 */
export async function refuses(
  action: Promise<unknown>,
  status: number | readonly number[],
  message: RegExp,
): Promise<void> {
  await assert.rejects(action, (error) => {
    assert.ok(error instanceof ApiError, `an ApiError was expected, not ${String(error)}`);
    assert.match(error.message, message);
    assert.ok([status].flat().includes(error.status), `${error.status} ${error.message}, not ${String(status)}`);
    return true;
  });
}
