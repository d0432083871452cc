import { createHash } from 'node:crypto';
import type { ChainId, Digest, ProgressLine } from '#spec';
import type { BuildEvent } from '../contract.ts';
import type { Step, Tree } from '../plan/index.ts';

/** Takes a line; what runs waits for what it answers. */
export type SendLine = (line: ProgressLine) => void | Promise<void>;

/** What of a step is known and not shown yet. */
interface StepState {
  shown: 'nothing' | 'title' | 'running';
  runId?: string;
  finished?: { cached: boolean; chainId: ChainId };
  readonly held: { stream: 'stdout' | 'stderr'; data: Buffer }[];
  heldBytes: number;
}

const ID_LENGTH = 12;
/** What a step may say before those in front of it are done; the rest is left out. */
const MAX_HELD_BYTES = 2 * 1024 * 1024;
const CLIPPED = Buffer.from('[output clipped, 2MiB are kept while earlier steps run]\n');

/**
 * A build in the words of Docker's classic builder. Its clients expect one step after the other, so what steps of other stages do meanwhile
 * is held back until it is their turn.
 */
export class ClassicOutput {
  readonly #send: SendLine;
  readonly #removes: boolean;
  readonly #states = new Map<string, StepState>();
  /** The chain after each step, for what it would be called as an image. */
  readonly #chains = new Map<string, ChainId | undefined>();
  #steps: readonly Step[] = [];
  /** Of steps, the ARGs before the first FROM among them. */
  #total = 0;
  #next = 0;
  #last: Promise<void> = Promise.resolve();
  #unusedArgs: readonly string[] = [];
  /** The first: the others were only stopped. */
  #failed: string | undefined;

  /** @param removes - whether to tell that a step's container was removed (`--rm`). */
  constructor(send: SendLine, options: { removes: boolean }) {
    this.#send = send;
    this.#removes = options.removes;
  }

  /** One event after the other, whoever reports them. */
  report(event: BuildEvent): Promise<void> {
    const shown = this.#last.then(() => this.#show(event));
    this.#last = shown.catch(() => undefined);
    return shown;
  }

  async #show(event: BuildEvent): Promise<void> {
    switch (event.kind) {
      case 'pulling':
        await this.#send(event.line);
        return;
      case 'planned':
        this.#steps = event.steps;
        this.#total = event.globalArgs.length + event.steps.length;
        for (const [index, source] of event.globalArgs.entries())
          await this.#line(`Step ${index + 1}/${this.#total} : ${source}`);
        for (const { id } of event.steps) this.#states.set(id, { shown: 'nothing', held: [], heldBytes: 0 });
        break;
      case 'unusedArgs':
        this.#unusedArgs = event.names;
        return;
      case 'started':
        this.#state(event.stepId).runId = event.runId;
        break;
      case 'output':
        await this.#output(event.stepId, event.stream, event.data);
        return;
      case 'finished':
        this.#state(event.stepId).finished = event;
        break;
      case 'failed':
        this.#failed ??= event.stepId;
        break;
      case 'warning':
        return;
    }
    await this.#advance();
  }

  /** The build is done. */
  async succeed(imageId: Digest, names: readonly string[]): Promise<void> {
    await this.#line(` ---> ${shorten(imageId)}`);
    await this.#send({ aux: { ID: imageId } });
    if (this.#unusedArgs.length > 0) {
      const list = this.#unusedArgs.toSorted().join(' ');
      await this.#line(`[Warning] One or more build-args [${list}] were not consumed`);
    }
    await this.#line(`Successfully built ${shorten(imageId)}`);
    for (const name of names) await this.#line(`Successfully tagged ${name}`);
  }

  /** The build failed: what the failed step said is shown, wherever it stands. */
  async fail(): Promise<void> {
    const index = this.#steps.findIndex(({ id }) => id === this.#failed);
    const step = this.#steps[index];
    if (!step) return;
    const state = this.#state(step.id);
    await this.#showTitle(index, step, state);
    await this.#showRun(step, state);
  }

  /** Shows what can be shown: steps one after the other, up to the first that is not done. */
  async #advance(): Promise<void> {
    for (let step = this.#steps[this.#next]; step !== undefined; step = this.#steps[this.#next]) {
      const state = this.#state(step.id);
      await this.#showTitle(this.#next, step, state);
      if (step.kind === 'layer') await this.#showRun(step, state);
      if (step.kind === 'layer' && !state.finished) return;
      this.#next += 1;
      await this.#showEnd(step, state);
    }
  }

  async #showTitle(index: number, step: Step, state: StepState): Promise<void> {
    if (state.shown !== 'nothing') return;
    state.shown = 'title';
    await this.#line(`Step ${this.#total - this.#steps.length + index + 1}/${this.#total} : ${step.source}`);
  }

  async #showRun(step: Step, state: StepState): Promise<void> {
    if (state.shown === 'title' && state.runId !== undefined && isRun(step)) {
      state.shown = 'running';
      await this.#line(` ---> Running in ${shorten(state.runId)}`);
    }
    for (let piece = state.held.shift(); piece !== undefined; piece = state.held.shift()) {
      await this.#send(toLine(piece.stream, piece.data));
    }
  }

  async #showEnd(step: Step, state: StepState): Promise<void> {
    const chain = this.#chainAfter(step, state);
    this.#chains.set(step.id, chain);
    if (state.finished?.cached === true) await this.#line(' ---> Using cache');
    else if (state.shown === 'running' && state.runId !== undefined && this.#removes) {
      await this.#line(`Removing intermediate container ${shorten(state.runId)}`);
    }
    // The last one is the image itself, which is still to be made.
    if (this.#next < this.#steps.length) await this.#line(` ---> ${this.#idAfter(step, chain)}`);
  }

  async #output(stepId: string, stream: 'stdout' | 'stderr', data: Buffer): Promise<void> {
    const state = this.#state(stepId);
    if (state.shown === 'running' && state.held.length === 0) {
      await this.#send(toLine(stream, data));
      return;
    }
    if (state.heldBytes > MAX_HELD_BYTES) return;
    state.heldBytes += data.length;
    state.held.push({ stream, data: state.heldBytes > MAX_HELD_BYTES ? CLIPPED : data });
  }

  #chainAfter(step: Step, { finished }: StepState): ChainId | undefined {
    if (finished) return finished.chainId;
    if (step.kind === 'config' && step.from) return this.#chainOf(step.from);
    const before = this.#steps[this.#steps.indexOf(step) - 1];
    return before && this.#chains.get(before.id);
  }

  #chainOf(tree: Tree): ChainId | undefined {
    if (tree.kind === 'image') return tree.image.chainId;
    return tree.kind === 'step' ? this.#chains.get(tree.step.id) : undefined;
  }

  /** Steps make no images here; this is what tells one state from another. */
  #idAfter(step: Step, chain: ChainId | undefined): string {
    const from = step.kind === 'config' ? step.from : undefined;
    if (from?.kind === 'image') return shorten(from.image.id);
    if (from?.kind === 'scratch') return '';
    return createHash('sha256')
      .update(JSON.stringify([chain, step.config]))
      .digest('hex')
      .slice(0, ID_LENGTH);
  }

  #state(stepId: string): StepState {
    const state = this.#states.get(stepId);
    if (!state) throw new RangeError(`there is no step ${stepId}`);
    return state;
  }

  async #line(text: string): Promise<void> {
    await this.#send({ stream: `${text}\n` });
  }
}

function isRun(step: Step): boolean {
  return step.kind === 'layer' && step.op.kind === 'run';
}

/** Errors in red, as Docker sends them. */
function toLine(stream: 'stdout' | 'stderr', data: Buffer): ProgressLine {
  const text = data.toString('utf8');
  return { stream: stream === 'stderr' ? `\u001B[91m${text}\u001B[0m` : text };
}

function shorten(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, ID_LENGTH);
}
