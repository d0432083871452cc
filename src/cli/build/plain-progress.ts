import type { BuildEventLine } from '#spec';

interface StepLine {
  readonly number: number;
  readonly name: string;
  startedAtMs: number | undefined;
  /** Of its last line, what came without an end. */
  rest: string;
}

/**
 * A build's events as lines, each with the number of its step:
 *
 * ```
 * #3 [2/4] RUN make
 * #3 0.214 cc -c a.c
 * #3 DONE 1.2s
 * ```
 */
export class PlainProgress {
  readonly #nowMs: () => number;
  readonly #steps = new Map<string, StepLine>();
  readonly #warnings: string[] = [];

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Rules broken, `Rule: what (place)`. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** What to print for an event. */
  render(event: BuildEventLine): string {
    switch (event.kind) {
      case 'planned':
        for (const { id, name, isLayer } of event.steps) {
          if (isLayer) this.#steps.set(id, { number: this.#steps.size + 1, name, startedAtMs: undefined, rest: '' });
        }
        return '';
      case 'warning':
        this.#warnings.push(`${event.rule}: ${event.message}${event.excerpt === '' ? '' : ` (${event.excerpt})`}`);
        return '';
      case 'started':
        return this.#begin(this.#step(event.stepId));
      case 'output':
        return this.#output(this.#step(event.stepId), event.text);
      case 'finished': {
        const step = this.#step(event.stepId);
        if (event.cached) return `#${step.number} ${step.name}\n#${step.number} CACHED\n\n`;
        return `${this.#begin(step)}${this.#flush(step)}#${step.number} DONE ${this.#seconds(step).toFixed(1)}s\n\n`;
      }
      case 'failed': {
        const step = this.#step(event.stepId);
        return `${this.#begin(step)}${this.#flush(step)}#${step.number} ERROR: ${event.message}\n\n`;
      }
    }
  }

  #begin(step: StepLine): string {
    if (step.startedAtMs !== undefined) return '';
    step.startedAtMs = this.#nowMs();
    return `#${step.number} ${step.name}\n`;
  }

  #output(step: StepLine, text: string): string {
    const lines = (step.rest + text).split('\n');
    step.rest = lines.pop() ?? '';
    const time = this.#seconds(step).toFixed(3);
    return lines.map((line) => `#${step.number} ${time} ${line.replace(/\r$/, '')}\n`).join('');
  }

  #flush(step: StepLine): string {
    return step.rest === '' ? '' : this.#output(step, '\n');
  }

  #seconds({ startedAtMs }: StepLine): number {
    return startedAtMs === undefined ? 0 : (this.#nowMs() - startedAtMs) / 1000;
  }

  #step(id: string): StepLine {
    const step = this.#steps.get(id);
    if (!step) throw new RangeError(`there is no step ${id}`);
    return step;
  }
}
