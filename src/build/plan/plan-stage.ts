import { posix } from 'node:path';
import type { oci } from '#spec';
import {
  type ArgInstruction,
  type Directives,
  DockerfileProblem,
  type Instruction,
  isChecked,
  type KeyValue,
  type LintRuleName,
  type LintWarning,
  type SourceRange,
  type Stage,
  suggestion,
} from '../dockerfile/index.ts';
import { toCopyOp } from './copy-op.ts';
import { configEntry, filesEntry, folderEntry, plainList, quotedList } from './history.ts';
import type { ConfigStep, LayerStep, Op, Step, Tree } from './ops.ts';
import { DEFAULT_SHELL, toRunOp } from './run-op.ts';
import { checkStopSignal, exposedPorts } from './settings.ts';
import { PROXY_ARGS, type Scope } from './variables.ts';

/** What a stage begins with. */
export interface StageStart {
  readonly index: number;
  readonly tree: Tree;
  readonly config: oci.RunConfig;
  readonly author: string;
  readonly scope: Scope;
  /** A base stage of this Dockerfile has set an absolute WORKDIR. */
  readonly hasWorkdir: boolean;
  readonly noCache: boolean;
}

/** What all stages share. */
export interface StageSurroundings {
  readonly directives: Directives;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Values of ARGs before the first FROM, platform arguments among them. */
  readonly globalArgs: ReadonlyMap<string, string | undefined>;
  readonly isIgnored: (path: string) => boolean;
  readonly warn: (warning: LintWarning) => void;
}

/** Turns the instructions of one stage into steps; holds what they change on the way. */
export class StagePlanner {
  readonly #start: StageStart;
  readonly #shared: StageSurroundings;
  readonly #config: oci.RunConfig;
  readonly #scope: Scope;
  readonly #steps: Step[] = [];
  #tree: Tree;
  #author: string;
  #hasCmd = false;
  #hasWorkdir: boolean;

  constructor(start: StageStart, shared: StageSurroundings) {
    this.#start = start;
    this.#shared = shared;
    this.#config = structuredClone(start.config);
    this.#scope = start.scope;
    this.#tree = start.tree;
    this.#author = start.author;
    this.#hasWorkdir = start.hasWorkdir;
  }

  /** So far. */
  get steps(): readonly Step[] {
    return this.#steps;
  }

  get tree(): Tree {
    return this.#tree;
  }

  get config(): oci.RunConfig {
    return this.#config;
  }

  get author(): string {
    return this.#author;
  }

  get scope(): Scope {
    return this.#scope;
  }

  get hasWorkdir(): boolean {
    return this.#hasWorkdir;
  }

  /**
   * The stage's FROM, as a step that does nothing.
   */
  begin(text: string, stage: Pick<Stage, 'range' | 'source'>): void {
    this.#steps.push({ kind: 'config', ...this.#place(stage), text, history: undefined, from: this.#tree });
  }

  /**
   * One instruction.
   *
   * @param treeOf - the files that a `from` names, planned already; of the main context for the empty name.
   * @throws DockerfileProblem with Docker's texts.
   */
  add(instruction: Instruction, treeOf: (from: string) => Tree): void {
    switch (instruction.kind) {
      case 'run': {
        const expand = (text: string): string => this.#expand(text, instruction.range);
        const op = toRunOp(instruction, {
          shell: this.#shell(),
          env: this.#scope.runEnv(),
          proxyEnv: [...this.#shared.buildArgs]
            .filter(([name]) => PROXY_ARGS.has(name))
            .map(([name, value]) => `${name}=${value}`),
          workingDir: this.#workingDir(),
          user: this.#config.User ?? '',
          hostname: this.#shared.buildArgs.get('BUILDKIT_SANDBOX_HOSTNAME') ?? 'buildkitsandbox',
          cacheNamespace: namespace(this.#shared.buildArgs.get('BUILDKIT_CACHE_MOUNT_NS')),
          expand,
          treeOf,
        });
        const command = [...this.#scope.historyArgs(), ...op.args].join(' ');
        this.#layer(instruction, { op, text: instruction.source, history: filesEntry(`RUN ${command}`) });
        return;
      }
      case 'copy':
      case 'add': {
        const from = instruction.kind === 'copy' ? instruction.from : '';
        const { op, text } = toCopyOp(instruction, {
          workingDir: this.#workingDir(),
          expand: (word) => this.#expand(word, instruction.range),
          expandContent: (content) => this.#expandContent(content, instruction.range),
          tree: treeOf(from),
          keepGitDir: this.#shared.buildArgs.get('BUILDKIT_CONTEXT_KEEP_GIT_DIR') === '1',
        });
        if (from === '') this.#lintIgnored(op, instruction.range);
        this.#layer(instruction, { op, text, history: filesEntry(text) });
        return;
      }
      case 'workdir':
        this.#workdir(instruction);
        return;
      case 'onbuild':
        this.#config.OnBuild = [...(this.#config.OnBuild ?? []), instruction.trigger];
        this.#made(instruction, { text: instruction.source, history: undefined });
        return;
      default:
        this.#configure(instruction);
    }
  }

  #configure(instruction: Exclude<Instruction, { kind: 'run' | 'copy' | 'add' | 'workdir' | 'onbuild' }>): void {
    const { range } = instruction;
    const config = this.#config;
    switch (instruction.kind) {
      case 'arg':
        this.#configStep(instruction, `ARG ${this.#arg(instruction)}`);
        return;
      case 'env': {
        const pairs = this.#pairs(instruction.pairs, range);
        for (const { key, value } of pairs) this.#scope.setEnv(key, value);
        config.Env = this.#scope.env();
        this.#configStep(instruction, `ENV ${formatPairs(pairs)}`);
        return;
      }
      case 'label': {
        const pairs = this.#pairs(instruction.pairs, range);
        config.Labels = { ...config.Labels, ...Object.fromEntries(pairs.map(({ key, value }) => [key, value])) };
        this.#configStep(instruction, `LABEL ${formatPairs(pairs)}`);
        return;
      }
      case 'maintainer':
        this.#author = instruction.name;
        this.#configStep(instruction, `MAINTAINER ${instruction.name}`);
        return;
      case 'cmd': {
        config.Cmd = this.#command(instruction.command);
        config.ArgsEscaped = true;
        this.#hasCmd = true;
        this.#configStep(instruction, `CMD ${quotedList(config.Cmd)}`);
        return;
      }
      case 'entrypoint': {
        const command = this.#command(instruction.command);
        config.Entrypoint = command.length === 0 ? null : command;
        // What the base image's command was for is gone.
        if (!this.#hasCmd) config.Cmd = null;
        this.#configStep(instruction, `ENTRYPOINT ${quotedList(command)}`);
        return;
      }
      case 'shell':
        config.Shell = [...instruction.shell];
        this.#configStep(instruction, `SHELL ${plainList(instruction.shell)}`);
        return;
      case 'expose': {
        const ports = exposedPorts(instruction.ports.flatMap((port) => this.#words(port, range)));
        config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
        this.#configStep(instruction, `EXPOSE ${plainList(ports)}`);
        return;
      }
      case 'volume': {
        const paths = instruction.paths.map((path) => this.#expand(path, range));
        if (paths.includes('')) throw new DockerfileProblem('VOLUME specified can not be an empty string');
        config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
        this.#configStep(instruction, `VOLUME ${plainList(paths)}`);
        return;
      }
      case 'user':
        config.User = this.#expand(instruction.user, range);
        this.#configStep(instruction, `USER ${config.User}`);
        return;
      case 'stopsignal':
        config.StopSignal = checkStopSignal(this.#expand(instruction.signal, range));
        this.#configStep(instruction, `STOPSIGNAL ${config.StopSignal}`);
        return;
      case 'healthcheck':
        config.Healthcheck = instruction.health;
        this.#configStep(instruction, instruction.source);
        return;
    }
  }

  #workdir(instruction: Extract<Instruction, { kind: 'workdir' }>): void {
    const written = this.#expand(instruction.path, instruction.range);
    if (!this.#hasWorkdir && !written.startsWith('/')) {
      this.#warn(
        'WorkdirRelativePath',
        `Relative workdir ${JSON.stringify(written)} can have unexpected results if the base image changes`,
        instruction.range,
      );
    }
    this.#hasWorkdir = true;
    const path = posix.resolve(this.#workingDir(), written);
    this.#config.WorkingDir = path;
    const text = `WORKDIR ${path}`;
    if (path === '/') this.#configStep(instruction, text);
    else {
      const op: Op = { kind: 'mkdir', path, user: this.#config.User ?? '' };
      this.#layer(instruction, { op, text, history: folderEntry(text) });
    }
  }

  /** Declares ARGs; answers them as histories show them. */
  #arg(instruction: ArgInstruction): string {
    const { buildArgs, globalArgs } = this.#shared;
    const shown = instruction.args.map(({ name, value: fallback }) => {
      const given = buildArgs.get(name);
      const own = fallback === undefined ? globalArgs.get(name) : this.#expand(fallback, instruction.range);
      const value = given ?? own;
      this.#scope.declareArg(name, value);
      return value === undefined ? name : `${name}=${value}`;
    });
    return shown.join(' ');
  }

  #command({ form, args }: { form: 'shell' | 'exec'; args: readonly string[] }): string[] {
    return form === 'exec' ? [...args] : [...this.#shell(), args.join(' ')];
  }

  #shell(): readonly string[] {
    const { Shell: shell = [] } = this.#config;
    return shell.length > 0 ? shell : DEFAULT_SHELL;
  }

  #workingDir(): string {
    return this.#config.WorkingDir || '/';
  }

  #pairs(pairs: readonly KeyValue[], range: SourceRange): KeyValue[] {
    // All of one instruction see the values from before it.
    return pairs.map(({ key, value }) => ({ key: this.#expand(key, range), value: this.#expand(value, range) }));
  }

  #expand(text: string, range: SourceRange): string {
    const { text: expanded, unset } = this.#scope.expand(text, { escape: this.#shared.directives.escape });
    this.#lintUnset(unset, range);
    return expanded;
  }

  #words(text: string, range: SourceRange): readonly string[] {
    const { words, unset } = this.#scope.expand(text, { escape: this.#shared.directives.escape });
    this.#lintUnset(unset, range);
    return words;
  }

  #expandContent(text: string, range: SourceRange): string {
    const { text: expanded, unset } = this.#scope.expand(text, { escape: '\\', ignoreQuotes: true });
    this.#lintUnset(unset, range);
    return expanded;
  }

  #lintUnset(unset: ReadonlySet<string>, range: SourceRange): void {
    for (const name of unset) {
      if (this.#scope.args.has(name) || PROXY_ARGS.has(name)) continue;
      const hint = suggestion(name, this.#scope.names()).replace('mean ', 'mean $');
      this.#warn('UndefinedVar', `Usage of undefined variable '$${name}'${hint}`, range);
    }
  }

  #lintIgnored(op: Op, range: SourceRange): void {
    if (op.kind !== 'copy') return;
    for (const source of op.sources) {
      if (source.kind !== 'paths') continue;
      for (const path of source.paths.filter((each) => !/[*?[]/.test(each) && this.#shared.isIgnored(each))) {
        const message = `Attempting to Copy file ${JSON.stringify(path)} that is excluded by .dockerignore`;
        this.#warn('CopyIgnoredFile', message, range);
      }
    }
  }

  #warn(rule: LintRuleName, message: string, range: SourceRange): void {
    if (isChecked(rule, this.#shared.directives.check)) this.#shared.warn({ rule, message, range });
  }

  #configStep(instruction: Instruction, text: string): void {
    this.#made(instruction, { text, history: configEntry(text) });
  }

  #made(instruction: Instruction, step: Pick<ConfigStep, 'text' | 'history'>): void {
    this.#steps.push({ kind: 'config', ...this.#place(instruction), ...step });
  }

  #layer(instruction: Instruction, made: { op: Op; text: string; history: oci.ImageHistory }): void {
    const { noCache } = this.#start;
    const step: LayerStep = { kind: 'layer', ...this.#place(instruction), parent: this.#tree, noCache, ...made };
    this.#steps.push(step);
    this.#tree = { kind: 'step', step };
  }

  #place({
    range,
    source,
  }: Pick<Stage, 'range' | 'source'>): Pick<Step, 'id' | 'stage' | 'range' | 'source' | 'config'> {
    const { index } = this.#start;
    return { id: `${index}.${this.#steps.length}`, stage: index, range, source, config: structuredClone(this.#config) };
  }
}

function formatPairs(pairs: readonly KeyValue[]): string {
  return pairs.map(({ key, value }) => `${key}=${value}`).join(' ');
}

function namespace(name: string | undefined): string {
  return name === undefined || name === '' ? '' : `${name}/`;
}
