import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { until } from '../test/helpers/until.ts';

const launcher = new URL('../bin/berth-registry', import.meta.url).pathname;

/** A blob on the disk of the client. */
export interface BlobFile {
  readonly path: string;
  readonly digest: string;
}

/** A registry under measurement: ours, or Debian's docker-registry. */
export class BenchRegistry {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #agent: Agent;

  private constructor(url: string, process: ChildProcess, directory: string) {
    this.url = url;
    this.#process = process;
    this.#directory = directory;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 16 });
  }

  static async start(kind: 'berth' | 'docker', directory: string): Promise<BenchRegistry> {
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const child = kind === 'berth' ? startOurs(directory, port) : startDebians(directory, port);
    const registry = new BenchRegistry(`http://127.0.0.1:${port}`, child, directory);
    await until(async () => (await fetch(`${registry.url}/v2/`)).ok, { what: `the registry of ${kind}` });
    return registry;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Begins an upload for each blob, then sends them, `parallel` at a time. */
  async push(repository: string, blobs: readonly BlobFile[], parallel: number): Promise<void> {
    const locations = await Promise.all(blobs.map(async () => await this.#begin(repository)));
    const targets = blobs.map(({ path, digest }, index) => {
      const location = new URL(locations[index] ?? '', this.url).href;
      return { url: `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`, upload: path };
    });
    await this.#curl(targets, parallel);
  }

  async pull(repository: string, blobs: readonly BlobFile[], parallel: number): Promise<void> {
    await this.#curl(
      blobs.map(({ digest }) => ({ url: `${this.url}/v2/${repository}/blobs/${digest}` })),
      parallel,
    );
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    const ended = once(this.#process, 'exit');
    this.#process.kill();
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #begin(repository: string): Promise<string> {
    const outgoing = request(`${this.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', agent: this.#agent });
    outgoing.setHeader('content-length', '0');
    outgoing.end();
    const [response] = await once(outgoing, 'response');
    response.resume();
    await once(response, 'end');
    return String(response.headers.location);
  }

  /** curl, so that what is measured is the registry and not the client. */
  async #curl(targets: readonly { url: string; upload?: string }[], parallel: number): Promise<void> {
    const config = join(this.#directory, 'curl.conf');
    const lines = targets.map(({ url, upload }) =>
      [
        `url = "${url}"`,
        'output = /dev/null',
        'header = "Expect:"',
        ...(upload === undefined ? [] : [`upload-file = "${upload}"`]),
        'fail',
      ].join('\n'),
    );
    writeFileSync(config, lines.join('\nnext\n'));
    const child = spawn(
      'curl',
      ['--no-progress-meter', '--parallel', '--parallel-max', String(parallel), '--config', config],
      {
        stdio: ['ignore', 'ignore', 'ignore'],
      },
    );
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`curl ended with ${code}`);
  }
}

function startOurs(directory: string, port: number): ChildProcess {
  return spawn(launcher, ['serve', '--root', join(directory, 'root'), '--listen', `127.0.0.1:${port}`], {
    stdio: 'ignore',
  });
}

function startDebians(directory: string, port: number): ChildProcess {
  const config = join(directory, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nstorage: { filesystem: { rootdirectory: ${join(directory, 'root')} } }\nhttp: { addr: "127.0.0.1:${port}" }\n`,
  );
  return spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
}

/** Files with bytes that nothing can compress or share. */
export function makeBlobs(directory: string, count: number, sizeBytes: number): BlobFile[] {
  mkdirSync(directory, { recursive: true });
  const content = randomFillSync(Buffer.alloc(Math.min(sizeBytes, 64 * 1024 * 1024)));
  return Array.from({ length: count }, (_, index) => {
    const path = join(directory, `${count}-${index}`);
    const hash = createHash('sha256');
    content.writeUInt32LE(index);
    writeFileSync(path, '');
    for (let left = sizeBytes; left > 0; left -= content.length) {
      const piece = content.subarray(0, Math.min(left, content.length));
      hash.update(piece);
      writeFileSync(path, piece, { flag: 'a' });
    }
    return { path, digest: `sha256:${hash.digest('hex')}` };
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
