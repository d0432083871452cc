import type { PreparedExec } from '#monitor';
import type { ExecCreateRequest, ExecId } from '#spec';

/** A prepared exec is two waiting processes, 1 MiB; clients that create without starting shall not pile them up. */
const maxPrepared = 8;
/** The docker CLI starts an exec a millisecond after its creation; one that follows another comes within seconds. */
const keepMs = 5000;

/** What is settled about an exec when it is prepared. */
export interface PreparedFor {
  containerId: string;
  /** The container's first process, which the runtime has looked up. */
  pid: number;
  request: Pick<ExecCreateRequest, 'Tty' | 'AttachStdin'>;
}

interface Entry {
  readonly exec: PreparedExec;
  readonly purpose: PreparedFor;
  /** Nobody has asked for it yet. */
  spare: boolean;
  readonly timer: NodeJS.Timeout;
}

/**
 * Execs that are got ready before somebody asks for their start: those that were created, which most clients start at
 * once, and a spare one in a container that had several in a row, with an ID for the next.
 */
export class PreparedExecs {
  readonly #entries: Map<ExecId, Entry>;
  readonly #withdrawn: (id: ExecId) => void;
  readonly #leaving: Set<Promise<void>>;

  /** @param withdrawn - Told when one is gone that was never started. */
  constructor(withdrawn: (id: ExecId) => void) {
    this.#entries = new Map();
    this.#withdrawn = withdrawn;
    this.#leaving = new Set();
  }

  /** Prepares one, unless it is prepared already or there is no room. */
  add(id: ExecId, purpose: PreparedFor, { spare }: { spare: boolean }, open: () => PreparedExec): void {
    if (this.#entries.has(id) || this.#entries.size >= maxPrepared) return;
    if (spare && this.#findSpare(purpose) !== undefined) return;
    const exec = open();
    this.#entries.set(id, { exec, purpose, spare, timer: setTimeout(() => this.withdraw(id), keepMs).unref() });
  }

  /** The ID of a spare one that fits. It is the caller's: nobody else gets it. */
  reserve(purpose: PreparedFor): ExecId | undefined {
    const id = this.#findSpare(purpose);
    const entry = id === undefined ? undefined : this.#entries.get(id);
    if (entry) {
      entry.spare = false;
      entry.timer.refresh();
    }
    return id;
  }

  /** Hands out what was prepared, unless the container was started anew meanwhile. */
  take(id: ExecId, pid: number): PreparedExec | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    if (entry.purpose.pid !== pid) {
      this.withdraw(id);
      return undefined;
    }
    this.#forget(id, entry);
    return entry.exec;
  }

  withdraw(id: ExecId): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#forget(id, entry);
    const leaving = entry.exec.withdraw().then(() => this.#withdrawn(id));
    this.#leaving.add(leaving);
    void leaving.finally(() => this.#leaving.delete(leaving));
  }

  withdrawOf(containerId: string): void {
    for (const [id, { purpose }] of this.#entries) if (purpose.containerId === containerId) this.withdraw(id);
  }

  /** Ends all, and waits until the last is gone. */
  async close(): Promise<void> {
    for (const id of this.#entries.keys()) this.withdraw(id);
    await Promise.all(this.#leaving);
  }

  #findSpare({ pid, request: { Tty, AttachStdin } }: PreparedFor): ExecId | undefined {
    for (const [id, { spare, purpose }] of this.#entries) {
      const { request } = purpose;
      if (spare && purpose.pid === pid && request.Tty === Tty && request.AttachStdin === AttachStdin) return id;
    }
    return undefined;
  }

  #forget(id: ExecId, entry: Entry): void {
    clearTimeout(entry.timer);
    this.#entries.delete(id);
  }
}
