import { EngineError, findEngineError } from '#errors';
import {
  type BuildExtras,
  familiarReference,
  formatReference,
  hostPlatform,
  type ImageReference,
  parsePlatform,
  parseReference,
  type ProgressLine,
  withDefaultTag,
} from '#spec';
import type { Sys } from '#sys';
import type { Builder } from './builder.ts';
import type { ContextFolders } from './context/context-folders.ts';
import { type ContextSource, openContexts, type OpenContexts } from './context/open-context.ts';
import type { BuildRequest, RegistryLogins, StepLimits } from './contract.ts';
import { LineQueue } from './line-queue.ts';
import { ClassicOutput } from './output/classic-output.ts';
import { EventOutput } from './output/event-output.ts';
import type { NamedContext } from './plan/index.ts';

/** What `POST /build` asks for. */
export interface BuildCommand {
  readonly source: ContextSource;
  /** Path in the context; empty for `Dockerfile`. */
  readonly dockerfile: string;
  readonly tags: readonly string[];
  /** Nothing but the image's ID, unless it fails. */
  readonly quiet: boolean;
  readonly noCache: boolean;
  readonly pull: boolean;
  /** Tell that steps' containers are removed. */
  readonly removes: boolean;
  readonly limits: StepLimits;
  /** `null`: named without a value. */
  readonly buildArgs: ReadonlyMap<string, string | null>;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: string;
  /** Empty for this machine's. */
  readonly platform: string;
  readonly target: string;
  readonly squash: boolean;
  readonly credentials: RegistryLogins;
  readonly extras: BuildExtras;
  /** What {@link BuildService.cancel} knows it by; empty for none. */
  readonly buildId: string;
  readonly signal: AbortSignal;
}

export interface BuildServiceOptions {
  readonly builder: Builder;
  readonly folders: ContextFolders;
  readonly sys: Pick<Sys, 'files'>;
}

/** Builds as the API wants them: a context comes in, lines come out. */
export class BuildService {
  readonly #options: BuildServiceOptions;
  readonly #running = new Map<string, AbortController>();

  constructor(options: BuildServiceOptions) {
    this.#options = options;
  }

  /** What fails before the first line throws; a later failure is the last line. Breaking off the iteration cancels the build. */
  async *build(command: BuildCommand): AsyncGenerator<ProgressLine, void, undefined> {
    const stop = new AbortController();
    const lines = new LineQueue();
    const building = this.#build({ ...command, signal: AbortSignal.any([command.signal, stop.signal]) }, lines);
    const closed = building.finally(() => lines.close());
    closed.catch(() => undefined);
    this.#running.set(command.buildId, stop);
    let isBegun = false;
    try {
      for await (const line of lines.read()) {
        isBegun = true;
        yield line;
      }
      await closed;
    } catch (error) {
      if (!isBegun) throw error;
      yield errorLine(error);
    } finally {
      stop.abort(new EngineError('cancelled', 'BUILD_CANCELLED', 'Build cancelled'));
      lines.close();
      await closed.catch(() => undefined);
      if (this.#running.get(command.buildId) === stop) this.#running.delete(command.buildId);
    }
  }

  /** @throws notFound. */
  cancel(buildId: string): void {
    const running = this.#running.get(buildId);
    if (!running) throw new EngineError('notFound', 'NO_SUCH_BUILD', `no such build: ${buildId}`);
    running.abort(new EngineError('cancelled', 'BUILD_CANCELLED', 'Build cancelled'));
  }

  async #build(command: BuildCommand, lines: LineQueue): Promise<void> {
    const { builder, folders, sys } = this.#options;
    const { signal, quiet } = command;
    const tags = parseTags(command.tags);
    if (command.squash) {
      throw new EngineError('invalidArgument', 'NO_SQUASH', 'squash is only supported with experimental mode');
    }
    const held: ProgressLine[] = [];
    const closeOnAbort = (): void => lines.close();
    signal.addEventListener('abort', closeOnAbort, { once: true });
    const send = (line: ProgressLine): void | Promise<void> => (quiet ? void held.push(line) : lines.push(line));
    const output = command.extras.events === true ? new EventOutput(send) : new ClassicOutput(send, command);
    try {
      await using open = new AsyncDisposableStack();
      const keepGitDir = command.buildArgs.get('BUILDKIT_CONTEXT_KEEP_GIT_DIR') === '1';
      const { dockerfile, source } = command;
      const context = await openContexts(source, { folders, open, dockerfile, keepGitDir, sys, signal });
      const request = toRequest(command, context, tags);
      if (command.extras.check === true) {
        await builder.check(request, { report: (event) => output.report(event), signal });
        return;
      }
      const { imageId } = await builder.build(request, { report: (event) => output.report(event), signal });
      await output.succeed(imageId, tags.map(familiarReference));
      if (quiet) await lines.push({ stream: `${imageId}\n` });
    } catch (error) {
      await output.fail();
      for (const line of held) await lines.push(line);
      throw error;
    } finally {
      signal.removeEventListener('abort', closeOnAbort);
    }
  }
}

function toRequest(command: BuildCommand, context: OpenContexts, tags: readonly ImageReference[]): BuildRequest {
  const { target, labels, noCache, pull, network, limits, credentials, platform } = command;
  return {
    dockerfile: context.dockerfile,
    contexts: new Map([['', context.root], ...context.named]),
    ignore: context.ignore,
    namedContexts: new Map<string, NamedContext>([
      ...[...context.named.keys()].map((name) => [name, { kind: 'directory' }] as const),
      ...[...context.images].map(([name, reference]) => [name, { kind: 'image', reference }] as const),
    ]),
    target,
    buildArgs: new Map([...command.buildArgs].flatMap(([name, value]) => (value === null ? [] : [[name, value]]))),
    labels,
    targetPlatform: platform === '' ? hostPlatform() : parsePlatform(platform),
    buildPlatform: hostPlatform(),
    noCache: noCache ? true : new Set(command.extras.noCacheFilter ?? []),
    pull,
    credentials,
    network,
    limits,
    secrets: context.secrets,
    references: tags.map(formatReference),
  };
}

/** Each once, in order. @throws invalidArgument with Docker's texts. */
function parseTags(tags: readonly string[]): ImageReference[] {
  const parsed = tags
    .filter((tag) => tag !== '')
    .map((tag) => {
      const reference = parseReference(tag);
      if (reference.digest === undefined) return withDefaultTag(reference);
      throw new EngineError('invalidArgument', 'TAG_WITH_DIGEST', 'build tag cannot contain a digest');
    });
  return [...new Map(parsed.map((reference) => [formatReference(reference), reference])).values()];
}

function errorLine(error: unknown): ProgressLine {
  const known = findEngineError(error);
  const message = known?.message ?? (error instanceof Error ? error.message : String(error));
  const exitCode = known?.details['exitCode'];
  const code = typeof exitCode === 'number' ? { code: exitCode } : {};
  return { errorDetail: { ...code, message }, error: message };
}
