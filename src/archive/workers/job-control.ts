import type { ControlCells } from './protocol.ts';

const CANCELLED = 0;
const CREDIT = 1;

/**
 * Two numbers that a job's caller and its worker share, since a worker in a synchronous stretch reads no messages:
 * whether the job is cancelled, and how many bytes the worker may still send.
 */
export class JobControl {
  readonly cells: ControlCells;

  constructor(cells: ControlCells = new Int32Array(new SharedArrayBuffer(8))) {
    this.cells = cells;
  }

  get cancelled(): boolean {
    return Atomics.load(this.cells, CANCELLED) !== 0;
  }

  /** For the caller; wakes a worker that waits for credit (a changed number also stops one that is about to wait). */
  cancel(): void {
    Atomics.store(this.cells, CANCELLED, 1);
    this.grant(1);
  }

  /** For the caller: lets the worker send `bytes` more. */
  grant(bytes: number): void {
    Atomics.add(this.cells, CREDIT, bytes);
    Atomics.notify(this.cells, CREDIT);
  }

  /** For the worker: takes credit for `bytes`, blocking the thread while there is none. Answers false when cancelled. */
  takeCredit(bytes: number): boolean {
    for (;;) {
      if (this.cancelled) return false;
      const credit = Atomics.load(this.cells, CREDIT);
      if (credit > 0) break;
      Atomics.wait(this.cells, CREDIT, credit);
    }
    Atomics.sub(this.cells, CREDIT, bytes);
    return true;
  }
}
