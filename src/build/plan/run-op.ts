import { posix } from 'node:path';
import {
  type CommandLine,
  DockerfileProblem,
  heredocText,
  parseMount,
  type RunInstruction,
} from '../dockerfile/index.ts';
import type { RunOp, Tree } from './ops.ts';

export const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];
/** Where a script of the Dockerfile appears in the step. */
const SCRIPT_DIRECTORY = '/dev/pipes';

export interface RunSurroundings {
  readonly shell: readonly string[];
  readonly env: readonly string[];
  readonly proxyEnv: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly hostname: string;
  readonly expand: (text: string) => string;
  /** The files that a mount's `from` names; of the main context if it names none. */
  readonly treeOf: (from: string) => Tree;
  /** Put before the ids of cache mounts. */
  readonly cacheNamespace: string;
}

/** What a RUN does. @throws DockerfileProblem for mounts that make no sense. */
export function toRunOp(instruction: RunInstruction, surroundings: RunSurroundings): RunOp {
  const { args, script } = toCommand(instruction.command, surroundings.shell);
  const { env, proxyEnv, workingDir, user, hostname } = surroundings;
  return {
    kind: 'run',
    args,
    script,
    env,
    proxyEnv,
    workingDir,
    user,
    hostname,
    mounts: instruction.mounts.map((text) => toMount(text, surroundings)),
    network: instruction.network,
    security: instruction.security,
    devices: instruction.devices,
  };
}

/** A heredoc alone is the script itself; with a command, the shell reads it as it stands. */
function toCommand({ form, args, heredocs }: CommandLine, shell: readonly string[]): Pick<RunOp, 'args' | 'script'> {
  if (form === 'exec') return { args, script: undefined };
  const [line = ''] = args;
  const [first] = heredocs;
  if (!first) return { args: [...shell, line], script: undefined };
  const isScript = heredocs.length === 1 && /^\d*<<-?\s*["']?[^\s"'<]+["']?$/.test(line.trim());
  if (!isScript) {
    const whole = [line, ...heredocs.map(({ content, name }) => content + name)].join('\n');
    return { args: [...shell, whole], script: undefined };
  }
  const content = heredocText(first);
  if (!content.startsWith('#!')) return { args: [...shell, content], script: undefined };
  const path = `${SCRIPT_DIRECTORY}/${first.name}`;
  return { args: [path], script: { path, content } };
}

function toMount(text: string, surroundings: RunSurroundings): RunOp['mounts'][number] {
  const mount = parseMount(text, surroundings.expand);
  const isEmpty = mount.from === '' && mount.type !== 'bind';
  const tree: Tree = isEmpty ? { kind: 'scratch' } : surroundings.treeOf(mount.from);
  const needsTarget = mount.type === 'bind' || mount.type === 'cache' || mount.type === 'tmpfs';
  if (needsTarget && mount.target === '') throw new DockerfileProblem('invalid mount: target path is required', text);
  const target = mount.target === '' ? '' : posix.resolve(surroundings.workingDir, mount.target);
  if (target === '/') throw new DockerfileProblem(`invalid mount target ${JSON.stringify(mount.target)}`, mount.target);
  if (mount.type !== 'cache') return { ...mount, target, tree };
  const id = surroundings.cacheNamespace + posix.normalize(mount.id === '' ? target : mount.id);
  return { ...mount, target, id, tree };
}
