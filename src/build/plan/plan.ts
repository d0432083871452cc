import { normalizePlatform, type oci, parsePlatform, parseReference } from '#spec';
import {
  type Dockerfile,
  DockerfileProblem,
  expand,
  type Instruction,
  isChecked,
  type LintRuleName,
  type LintWarning,
  parseError,
  parseTrigger,
  type SourceRange,
  type Stage,
  suggestion,
} from '../dockerfile/index.ts';
import type { Plan, PlanRequest } from './contract.ts';
import type { BaseImage, Step, Tree } from './ops.ts';
import { StagePlanner } from './plan-stage.ts';
import { findTarget, fromsOf, type Origin, originOfBase, originOfFrom } from './stage-graph.ts';
import { isPredefinedArg, platformArgs, Scope } from './variables.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A stage with everything it stands on. */
interface PlannedStage {
  readonly planner: StagePlanner;
  readonly base: BaseImage | undefined;
  readonly platform: oci.Platform;
  /** Of the base image and of base stages. */
  readonly earlierHistory: readonly oci.ImageHistory[];
}

/**
 * Plans a build: which steps the target needs, what each does exactly, and what configuration comes out. Base images are looked up,
 * side by side; nothing is run or fetched.
 *
 * @throws invalidArgument with Docker's text and the place in the Dockerfile; what `resolveImage` throws.
 */
export async function planBuild(request: PlanRequest): Promise<Plan> {
  return await new Planner(request).plan();
}

class Planner {
  readonly #request: PlanRequest;
  readonly #dockerfile: Dockerfile;
  readonly #stages = new Map<number, Promise<PlannedStage>>();
  readonly #images = new Map<string, Promise<BaseImage>>();
  readonly #warnings: LintWarning[];
  readonly #globalArgs: Map<string, string | undefined>;
  /** The same without what `--build-arg` says. */
  readonly #defaultArgs: Map<string, string | undefined>;
  readonly #declared: Set<string>;
  readonly #target: number;

  constructor(request: PlanRequest) {
    this.#request = request;
    this.#dockerfile = request.dockerfile;
    this.#warnings = [...request.dockerfile.warnings];
    this.#target = this.#at({ startLine: 1, endLine: 1 }, () => findTarget(this.#dockerfile.stages, request.target));
    const targetName = this.#dockerfile.stages[this.#target]?.name || 'default';
    this.#globalArgs = platformArgs(request.targetPlatform, request.buildPlatform, targetName);
    this.#defaultArgs = new Map(this.#globalArgs);
    this.#declared = new Set(this.#globalArgs.keys());
    this.#readGlobalArgs();
  }

  async plan(): Promise<Plan> {
    const { planner, base, platform, earlierHistory } = await this.#stage(this.#target);
    const stages = await Promise.all([...this.#stages].sort(([a], [b]) => a - b).map(([, stage]) => stage));
    const { labels, buildArgs } = this.#request;
    const config = Object.keys(labels).length === 0 ? {} : { Labels: { ...planner.config.Labels, ...labels } };
    return {
      steps: stages.flatMap((stage) => stage.planner.steps),
      globalArgs: this.#dockerfile.globalArgs.map(({ source }) => source),
      result: planner.tree,
      platform,
      config: { ...planner.config, ...config },
      author: planner.author,
      history: [...earlierHistory, ...historyOf(planner.steps)],
      base,
      warnings: this.#warnings.sort((a, b) => a.range.startLine - b.range.startLine),
      unusedArgs: [...buildArgs.keys()].filter((name) => !this.#declared.has(name) && !isPredefinedArg(name)),
    };
  }

  /** ARGs before the first FROM, each seeing those before it. */
  #readGlobalArgs(): void {
    const { globalArgs, directives } = this.#dockerfile;
    for (const { args, range } of globalArgs) {
      for (const { name, value } of args) {
        this.#declared.add(name);
        const own =
          value === undefined ? this.#globalArgs.get(name) : this.#expandGlobal(value, range, directives.escape).text;
        this.#globalArgs.set(name, this.#request.buildArgs.get(name) ?? own);
        if (value !== undefined) this.#defaultArgs.set(name, this.#withDefaults(value));
      }
    }
  }

  #expandGlobal(text: string, range: SourceRange, escape: string): ReturnType<typeof expand> {
    return this.#at(range, () => expand(text, (name) => this.#globalArgs.get(name), { escape }));
  }

  #withDefaults(text: string): string {
    return expand(text, (name) => this.#defaultArgs.get(name), { escape: this.#dockerfile.directives.escape }).text;
  }

  /** Plans a stage once, whoever needs it. */
  #stage(index: number): Promise<PlannedStage> {
    const known = this.#stages.get(index);
    if (known) return known;
    const planned = this.#planStage(index);
    this.#stages.set(index, planned);
    return planned;
  }

  async #planStage(index: number): Promise<PlannedStage> {
    const stage = this.#dockerfile.stages[index];
    if (!stage) throw new RangeError(`there is no stage ${index}`);
    for (const instruction of stage.instructions) {
      if (instruction.kind === 'arg') for (const { name } of instruction.args) this.#declared.add(name);
    }
    const baseName = this.#baseName(stage);
    const platform = this.#platform(stage);
    const start = await this.#start(index, stage, baseName, platform);
    const { planner } = start;
    planner.begin(`FROM ${baseName}${stage.name === '' ? '' : ` AS ${stage.writtenName}`}`, stage);
    const triggers = start.triggers.flatMap((trigger) => parseTrigger(trigger, baseName));
    const all: Instruction[] = [...triggers.map((each) => ({ ...each, range: stage.range })), ...stage.instructions];
    const trees = await this.#trees(index, all);
    for (const instruction of all) {
      this.#at(instruction.range, () =>
        planner.add(instruction, (from) => trees.get(from) ?? { kind: 'context', name: '' }),
      );
    }
    return start;
  }

  async #start(
    index: number,
    stage: Stage,
    baseName: string,
    platform: oci.Platform,
  ): Promise<PlannedStage & { triggers: readonly string[] }> {
    const origin = originOfBase(this.#dockerfile.stages, index, baseName);
    if (origin.kind === 'stage') return await this.#startFromStage(index, stage, origin.index);
    const base = origin.kind === 'scratch' ? undefined : await this.#image(origin.name, platform, stage.range);
    if (base) this.#lintPlatform(base, platform, stage.range);
    const { OnBuild, ...config } = base?.config.config ?? { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' };
    const planner = this.#planner(index, stage, {
      tree: base ? { kind: 'image', image: base } : { kind: 'scratch' },
      config,
      author: base?.config.author ?? '',
      scope: new Scope(config.Env ?? []),
      hasWorkdir: false,
    });
    return { planner, base, platform, earlierHistory: base?.config.history ?? [], triggers: OnBuild ?? [] };
  }

  async #startFromStage(
    index: number,
    stage: Stage,
    from: number,
  ): Promise<PlannedStage & { triggers: readonly string[] }> {
    const earlier = await this.#stage(from);
    const { OnBuild, ...config } = earlier.planner.config;
    const planner = this.#planner(index, stage, {
      tree: earlier.planner.tree,
      config,
      author: earlier.planner.author,
      scope: new Scope(config.Env ?? [], earlier.planner.scope.args),
      hasWorkdir: earlier.planner.hasWorkdir,
    });
    const earlierHistory = [...earlier.earlierHistory, ...historyOf(earlier.planner.steps)];
    return { planner, base: earlier.base, platform: earlier.platform, earlierHistory, triggers: OnBuild ?? [] };
  }

  #planner(
    index: number,
    stage: Stage,
    start: Pick<ConstructorParameters<typeof StagePlanner>[0], 'tree' | 'config' | 'author' | 'scope' | 'hasWorkdir'>,
  ): StagePlanner {
    const { noCache, buildArgs, isIgnored } = this.#request;
    const isNamed = noCache !== true && (noCache.has(stage.name) || noCache.has(String(index)));
    return new StagePlanner(
      { index, noCache: noCache === true || isNamed, ...start },
      {
        directives: this.#dockerfile.directives,
        buildArgs,
        globalArgs: this.#globalArgs,
        isIgnored,
        warn: (warning) => this.#warnings.push(warning),
      },
    );
  }

  /** The files that the instructions' `--from`s mean, all looked up at once. */
  async #trees(index: number, instructions: readonly Instruction[]): Promise<Map<string, Tree>> {
    const wanted = new Map<string, { origin: Origin; range: SourceRange }>();
    for (const instruction of instructions) {
      this.#at(instruction.range, () => {
        for (const from of fromsOf(instruction)) {
          // A folder sent along under that name goes before a stage.
          const isContext = this.#request.namedContexts.has(from);
          const origin: Origin = isContext
            ? { kind: 'name', name: from }
            : originOfFrom(this.#dockerfile.stages, index, from);
          wanted.set(from, { origin, range: instruction.range });
        }
      });
    }
    const trees = [...wanted].map(
      async ([from, { origin, range }]) => [from, await this.#tree(origin, range)] as const,
    );
    return new Map(await Promise.all(trees));
  }

  async #tree(origin: Origin, range: SourceRange): Promise<Tree> {
    if (origin.kind === 'scratch') return { kind: 'scratch' };
    if (origin.kind === 'stage') return (await this.#stage(origin.index)).planner.tree;
    if (this.#request.namedContexts.get(origin.name)?.kind === 'directory')
      return { kind: 'context', name: origin.name };
    return { kind: 'image', image: await this.#image(origin.name, this.#request.targetPlatform, range) };
  }

  async #image(name: string, platform: oci.Platform, range: SourceRange): Promise<BaseImage> {
    const context = this.#request.namedContexts.get(name);
    const reference = context?.kind === 'image' ? context.reference : name;
    this.#at(range, () => checkReference(reference));
    const key = `${reference} ${platform.os}/${platform.architecture}/${platform.variant ?? ''}`;
    const known = this.#images.get(key) ?? this.#request.resolveImage(reference, platform);
    this.#images.set(key, known);
    return await known;
  }

  #baseName(stage: Stage): string {
    const { text, unset } = this.#expandGlobal(stage.base, stage.range, this.#dockerfile.directives.escape);
    for (const name of unset) {
      if (this.#globalArgs.has(name)) continue;
      const hint = suggestion(name, this.#globalArgs.keys());
      this.#warn('UndefinedArgInFrom', `FROM argument '${name}' is not declared${hint}`, stage.range);
    }
    if (stage.base.includes('$') && unset.size === 0 && !isReference(this.#withDefaults(stage.base))) {
      const message = `Default value for ARG ${stage.base} results in empty or invalid base image name`;
      this.#warn('InvalidDefaultArgInFrom', message, stage.range);
    }
    if (text !== '') return text;
    return this.#at(stage.range, () => {
      throw new DockerfileProblem(`base name (${stage.base}) should not be blank`, stage.base);
    });
  }

  #platform(stage: Stage): oci.Platform {
    if (stage.platform === '') return this.#request.targetPlatform;
    const { escape } = this.#dockerfile.directives;
    const { text, unset } = this.#expandGlobal(stage.platform, stage.range, escape);
    return this.#at(stage.range, () => {
      if (text === '') {
        const [name = ''] = unset;
        const hint = suggestion(name, this.#globalArgs.keys());
        throw new DockerfileProblem(`empty platform value from expression ${stage.platform}${hint}`, stage.platform);
      }
      try {
        return parsePlatform(text);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new DockerfileProblem(`failed to parse platform ${text}: ${why}`, stage.platform);
      }
    });
  }

  #lintPlatform(base: BaseImage, wanted: oci.Platform, range: SourceRange): void {
    const { os, architecture, variant } = base.config;
    const got = normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
    if (got.os === wanted.os && got.architecture === wanted.architecture) return;
    const show = (platform: oci.Platform): string => JSON.stringify(`${platform.os}/${platform.architecture}`);
    this.#warn(
      'InvalidBaseImagePlatform',
      `Base image ${base.name} was pulled with platform ${show(got)}, expected ${show(wanted)} for current build`,
      range,
    );
  }

  #warn(rule: LintRuleName, message: string, range: SourceRange): void {
    if (isChecked(rule, this.#dockerfile.directives.check)) this.#warnings.push({ rule, message, range });
  }

  /** Gives a problem its place. */
  #at<T>(range: SourceRange, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw error instanceof DockerfileProblem ? parseError(this.#dockerfile.source, range, error) : error;
    }
  }
}

function historyOf(steps: readonly Step[]): oci.ImageHistory[] {
  return steps.flatMap(({ history }) => history ?? []);
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}

function checkReference(reference: string): void {
  try {
    parseReference(reference);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DockerfileProblem(`failed to parse stage name ${JSON.stringify(reference)}: ${why}`, reference);
  }
}
