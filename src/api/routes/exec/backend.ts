import type { ExecCreateRequest, ExecId, ExecInspect } from '#spec';
import type { AttachStreams } from '../containers/backend.ts';

/** What the exec routes call. */
export interface ExecBackend {
  create(containerRef: string, request: ExecCreateRequest): Promise<{ Id: ExecId }>;
  /**
   * Checks that the exec can start; `run` starts it, copies its stdio and resolves when it has ended or the client went.
   * With `detach` the process is started before this resolves and `run` does nothing. Without, a process that cannot be
   * started (no such executable) is a failure of `run`, which the client then reads as output, as with Docker.
   */
  start(
    id: string,
    options: { detach: boolean; tty: boolean; consoleSize?: [number, number] | undefined },
  ): Promise<{ tty: boolean; run(streams: AttachStreams): Promise<void> }>;
  resize(id: string, size: { height: number; width: number }): Promise<void>;
  inspect(id: string): Promise<ExecInspect>;
}
