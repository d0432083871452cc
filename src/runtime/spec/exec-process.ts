import type { ExecCreateRequest, oci } from '#spec';
import type { ResolvedUser } from './build-spec.ts';
import { buildEnvironment, mergeEnvironment, valueOf, withHome } from './environment.ts';
import { checkWorkingDirectory } from './working-directory.ts';

export interface ExecProcessInput {
  /** The process of the container's specification. */
  container: oci.RuntimeProcess;
  request: ExecCreateRequest;
  /** `[height, width]`; overrides the request's. */
  consoleSize: [number, number] | undefined;
  /** The request's user, or undefined for the container's own. */
  user: ResolvedUser | undefined;
  /** The container's `Env` and hostname, from which the environment is made anew. */
  env: readonly string[];
  hostname: string;
  /** The container's `WorkingDir`, for a request without one. */
  workingDir: string;
  /** For privileged execs: what this host has to give. */
  availableCapabilities: readonly string[];
}

/** The runtime's `process.json` of an exec: the container's process with what the request changes, as in Docker. */
export function buildExecProcess(input: ExecProcessInput): oci.RuntimeProcess {
  const { container, request, user } = input;
  const [height, width] = input.consoleSize ?? request.ConsoleSize ?? [0, 0];
  const capabilities = [...input.availableCapabilities];
  const base = buildEnvironment({ env: input.env, hostname: input.hostname, tty: request.Tty });
  const { consoleSize: _own, ...inherited } = container;
  return {
    ...inherited,
    terminal: request.Tty,
    ...(request.Tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    user: user ? { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids } : container.user,
    args: [...(request.Cmd ?? [])],
    env: withHome(mergeEnvironment(base, request.Env ?? []), user?.home ?? valueOf(container.env, 'HOME') ?? '/'),
    cwd: checkWorkingDirectory(request.WorkingDir || input.workingDir),
    ...(request.Privileged
      ? { capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities } }
      : {}),
  };
}
