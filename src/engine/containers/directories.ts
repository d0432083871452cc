import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Each container's files:
 *
 * ```
 * <data root>/containers/<id>/          hostname hosts resolv.conf, what conmon logs, and the json-file made of it
 * <exec root>/bundles/<id>/             config.json and conmon's sockets while it runs
 * <exec root>/execs/<exec id>/          process.json (a fifo, until it is started) and conmon's sockets while it runs
 * <exec root>/shm/<id>/                 the mount that is its /dev/shm, where others may join it
 * <exec root>/mounts/<id>/<number>      parts of volumes and images, mounted for it
 * ```
 */
export class ContainerDirectories {
  readonly #data: string;
  readonly #bundles: string;
  readonly #execs: string;
  readonly #shm: string;
  readonly #mounts: string;

  constructor(dataRoot: string, execRoot: string) {
    this.#data = join(dataRoot, 'containers');
    this.#bundles = join(execRoot, 'bundles');
    this.#execs = join(execRoot, 'execs');
    this.#shm = join(execRoot, 'shm');
    this.#mounts = join(execRoot, 'mounts');
    for (const directory of [this.#data, this.#bundles, this.#execs, this.#shm, this.#mounts])
      mkdirSync(directory, { recursive: true, mode: 0o710 });
  }

  data(id: string): string {
    return join(this.#data, id);
  }

  bundle(id: string): string {
    return join(this.#bundles, id);
  }

  exec(id: string): string {
    return join(this.#execs, id);
  }

  get execs(): string {
    return this.#execs;
  }

  createExec(id: string): void {
    mkdirSync(this.exec(id), { recursive: true, mode: 0o700 });
  }

  shm(id: string): string {
    return join(this.#shm, id);
  }

  /** Where parts of volumes and images are mounted for a container; made when one is. */
  stage(id: string): string {
    return join(this.#mounts, id);
  }

  log(id: string): string {
    return join(this.#data, id, 'container.log');
  }

  /** Docker's json-file, for whoever ships logs. */
  jsonLog(id: string): string {
    return join(this.#data, id, `${id}-json.log`);
  }

  /** How far the json-file is. */
  jsonLogState(id: string): string {
    return join(this.#data, id, 'json-log.state');
  }

  /** How far the log driver is that sends the log away. */
  shipState(id: string): string {
    return join(this.#data, id, 'log-driver.state');
  }

  create(id: string): void {
    mkdirSync(this.data(id), { mode: 0o710 });
  }

  /** Repeatable. */
  async remove(id: string): Promise<void> {
    // Logs can be large, and freeing their blocks takes the file system a while: not on this thread.
    await rm(this.data(id), { recursive: true, force: true });
    this.removeBundle(id);
  }

  /** Repeatable. */
  removeBundle(id: string): void {
    rmSync(this.bundle(id), { recursive: true, force: true });
  }

  /** Repeatable. */
  removeExec(id: string): void {
    rmSync(this.exec(id), { recursive: true, force: true });
  }

  /** Marks an exec as a health check. */
  markProbe(id: string): void {
    writeFileSync(join(this.exec(id), 'probe'), '');
  }

  /** Health checks that have a directory, with the process IDs they had. */
  leftProbes(): { id: string; pid: number }[] {
    return this.list()
      .execs.filter((id) => existsSync(join(this.exec(id), 'probe')) && existsSync(join(this.exec(id), 'pid')))
      .map((id) => ({ id, pid: Number(readFileSync(join(this.exec(id), 'pid'), 'latin1')) }));
  }

  /** IDs that have any directory; for reconciling. */
  list(): { containers: string[]; execs: string[] } {
    const names = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : []);
    return {
      containers: [...new Set([this.#data, this.#bundles, this.#shm, this.#mounts].flatMap(names))],
      execs: names(this.#execs),
    };
  }
}
