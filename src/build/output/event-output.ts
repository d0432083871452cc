import { findEngineError } from '#errors';
import { BUILD_EVENT_ID, type BuildEventLine, type Digest, type ProgressLine } from '#spec';
import type { BuildEvent } from '../contract.ts';
import type { Step } from '../plan/index.ts';
import type { SendLine } from './classic-output.ts';

/** A build as events, for our own client: what happens is sent as it happens. */
export class EventOutput {
  readonly #send: SendLine;

  constructor(send: SendLine) {
    this.#send = send;
  }

  async report(event: BuildEvent): Promise<void> {
    const line = toLine(event);
    if (line) await this.#send(line);
  }

  async succeed(imageId: Digest, _names: readonly string[]): Promise<void> {
    await this.#send({ aux: { ID: imageId } });
  }

  /** What failed was told as it did. */
  fail(): Promise<void> {
    return Promise.resolve();
  }
}

function toLine(event: BuildEvent): ProgressLine | undefined {
  switch (event.kind) {
    case 'pulling':
      return event.line;
    case 'planned':
      return wrap({ kind: 'planned', steps: named(event.steps) });
    case 'unusedArgs': {
      const message = `One or more build-args [${event.names.toSorted().join(' ')}] were not consumed`;
      return wrap({ kind: 'warning', rule: 'UnusedBuildArgs', message, excerpt: '' });
    }
    case 'warning': {
      const { rule, message, range } = event.warning;
      return wrap({ kind: 'warning', rule, message, excerpt: `line ${range.startLine}` });
    }
    case 'started':
      return wrap({ kind: 'started', stepId: event.stepId });
    case 'output':
      return wrap({ kind: 'output', stepId: event.stepId, stream: event.stream, text: event.data.toString('utf8') });
    case 'finished':
      return wrap({ kind: 'finished', stepId: event.stepId, cached: event.cached });
    case 'failed': {
      const { error, stepId } = event;
      const message = findEngineError(error)?.message ?? (error instanceof Error ? error.message : String(error));
      return wrap({ kind: 'failed', stepId, message, excerpt: '' });
    }
  }
}

/** `[stage 2/5] RUN …`: the place in its stage, FROM being the first. */
function named(steps: readonly Step[]): Extract<BuildEventLine, { kind: 'planned' }>['steps'] {
  const stages = new Set(steps.map(({ stage }) => stage));
  return steps.map((step) => {
    const own = steps.filter(
      ({ stage, kind, history }) => stage === step.stage && (kind === 'layer' || history === undefined),
    );
    const first = steps.find(({ stage }) => stage === step.stage);
    const name = / AS (\S+)$/i.exec(first?.text ?? '')?.[1] ?? `stage-${step.stage}`;
    const place = `${own.indexOf(step) + 1}/${own.length}`;
    return {
      id: step.id,
      name: `[${stages.size > 1 ? `${name} ` : ''}${place}] ${step.text}`,
      isLayer: step.kind === 'layer',
    };
  });
}

function wrap(event: BuildEventLine): ProgressLine {
  return { id: BUILD_EVENT_ID, aux: event };
}
