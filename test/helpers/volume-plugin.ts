import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';

type Body = Record<string, unknown>;

/** A small but real volume plugin: directories below one of its own, spoken to by Docker's plugin protocol. */
export class VolumePlugin {
  readonly socket: string;
  readonly directory: string;
  /** Every call so far: method and body. */
  readonly calls: { method: string; body: Body }[] = [];
  /** Who has each volume mounted. */
  readonly mounts: Map<string, Set<string>> = new Map();
  readonly #server: Server;

  private constructor(socket: string) {
    this.socket = socket;
    this.directory = mkdtempSync('/var/tmp/berth-plugin-');
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async open(socket: string): Promise<VolumePlugin> {
    const plugin = new VolumePlugin(socket);
    mkdirSync(dirname(socket), { recursive: true });
    rmSync(socket, { force: true });
    plugin.#server.listen(socket);
    await once(plugin.#server, 'listening');
    return plugin;
  }

  /** Stops answering; what it holds stays. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.socket, { force: true });
  }

  /** Answers again. */
  async restart(): Promise<void> {
    this.#server.listen(this.socket);
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const body: Body = text.trim() === '' ? {} : (JSON.parse(text) as Body);
    const method = (request.url ?? '').slice(1);
    this.calls.push({ method, body });
    const answer = this.#answer(method, body);
    response.writeHead(answer['Err'] ? 500 : 200, { 'content-type': 'application/vnd.docker.plugins.v1.2+json' });
    response.end(JSON.stringify(answer));
  }

  #answer(method: string, { Name, ID, Opts }: Body): Body {
    const name = String(Name);
    const path = join(this.directory, name);
    const users = this.mounts.get(name) ?? new Set();
    switch (method) {
      case 'Plugin.Activate':
        return { Implements: ['VolumeDriver'] };
      case 'VolumeDriver.Capabilities':
        return { Capabilities: { Scope: 'global' } };
      case 'VolumeDriver.Create':
        if (Opts && 'fail' in (Opts as object)) return { Err: 'told to fail' };
        mkdirSync(path, { recursive: true });
        return { Err: '' };
      case 'VolumeDriver.Get':
        return this.#names().includes(name) ? { Volume: this.#describe(name) } : { Err: 'no such volume' };
      case 'VolumeDriver.List':
        return { Volumes: this.#names().map((each) => this.#describe(each)) };
      case 'VolumeDriver.Path':
        return { Mountpoint: path };
      case 'VolumeDriver.Mount':
        this.mounts.set(name, users.add(String(ID)));
        return { Mountpoint: path };
      case 'VolumeDriver.Unmount':
        users.delete(String(ID));
        return { Err: '' };
      case 'VolumeDriver.Remove':
        if (users.size > 0) return { Err: 'volume is mounted' };
        rmSync(path, { recursive: true, force: true });
        return { Err: '' };
      default:
        return { Err: `unknown method ${method}` };
    }
  }

  #names(): string[] {
    return readdirSync(this.directory);
  }

  #describe(name: string): Body {
    return { Name: name, Mountpoint: join(this.directory, name), Status: { users: this.mounts.get(name)?.size ?? 0 } };
  }
}
