import { formatPlatform, type oci } from '#spec';
import { expand, type Expanded, type ExpandOptions } from '../dockerfile/index.ts';

/** Build arguments that need no ARG, and leave no trace. */
export const PROXY_ARGS: ReadonlySet<string> = new Set(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
);

/** Arguments that steer the builder; a step does not see them. */
const hiddenArgs: ReadonlySet<string> = new Set([
  'BUILDKIT_BUILD_NAME',
  'BUILDKIT_CACHE_MOUNT_NS',
  'BUILDKIT_CONTEXT_KEEP_GIT_DIR',
  'BUILDKIT_DOCKERFILE_CHECK',
  'BUILDKIT_INLINE_CACHE',
  'BUILDKIT_MULTI_PLATFORM',
  'BUILDKIT_SANDBOX_HOSTNAME',
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
  'BUILDKIT_SYNTAX',
]);

/** Whether an argument is known without being declared. */
export function isPredefinedArg(name: string): boolean {
  return PROXY_ARGS.has(name) || hiddenArgs.has(name) || name === 'SOURCE_DATE_EPOCH';
}

/** `TARGETPLATFORM` and its kin. */
export function platformArgs(target: oci.Platform, build: oci.Platform, targetStage: string): Map<string, string> {
  const of = (prefix: string, platform: oci.Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
  return new Map([...of('TARGET', target), ...of('BUILD', build), ['TARGETSTAGE', targetStage]]);
}

/** The variables of a stage as its instructions see them: the image's, then the ARGs declared so far. */
export class Scope {
  readonly #env: Map<string, string>;
  readonly #args: Map<string, string | undefined>;

  constructor(env: readonly string[], args: ReadonlyMap<string, string | undefined> = new Map()) {
    this.#env = new Map(env.map(splitVariable));
    this.#args = new Map(args);
  }

  get args(): ReadonlyMap<string, string | undefined> {
    return this.#args;
  }

  setEnv(name: string, value: string): void {
    this.#env.set(name, value);
  }

  declareArg(name: string, value: string | undefined): void {
    this.#args.set(name, value);
  }

  /** ENV wins over an ARG of that name. */
  get(name: string): string | undefined {
    return this.#env.get(name) ?? this.#args.get(name);
  }

  /** All names that are known, for suggestions. */
  names(): string[] {
    return [...this.#env.keys(), ...this.#args.keys()];
  }

  /** The image's variables, `KEY=value`. */
  env(): string[] {
    return [...this.#env].map(([name, value]) => `${name}=${value}`);
  }

  /** What a RUN step sees: those, and the ARGs that have a value. */
  runEnv(): string[] {
    const args = [...this.#args].flatMap(([name, value]) =>
      value === undefined || this.#env.has(name) || hiddenArgs.has(name) ? [] : [`${name}=${value}`],
    );
    return [...args, ...this.env()];
  }

  /** The ARGs of a RUN's history: `|2 A=1 B=`, or nothing. */
  historyArgs(): string[] {
    const args = [...this.#args].map(([name, value]) => `${name}=${this.#env.get(name) ?? value ?? ''}`);
    return args.length === 0 ? [] : [`|${args.length}`, ...args];
  }

  expand(text: string, options: ExpandOptions): Expanded {
    return expand(text, (name) => this.get(name), options);
  }
}

function splitVariable(variable: string): [name: string, value: string] {
  const equals = variable.indexOf('=');
  return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
}
