import { EngineError } from '#errors';
import type { NamespaceChoice, NamespaceChoices } from '#runtime';
import { isLive, type ContainerRecord, type Sandbox } from './record.ts';

/**
 * Which namespaces a container's next run gets.
 *
 * @throws conflict when it joins a container that does not run; invalidArgument for an unknown mode.
 */
export function chooseNamespaces(
  record: ContainerRecord,
  sandbox: Sandbox,
  find: (ref: string) => ContainerRecord,
): NamespaceChoices {
  const { hostConfig: host } = record;
  const join = (mode: string, type: 'pid' | 'ipc'): NamespaceChoice => {
    const other = find(mode.slice('container:'.length));
    if (!isLive(other.phase)) {
      throw new EngineError(
        'conflict',
        'JOINED_CONTAINER_NOT_RUNNING',
        `failed to join ${type.toUpperCase()} namespace: container ${other.id} is not running`,
      );
    }
    return { path: `/proc/${other.phase.pid}/ns/${type}` };
  };
  const choose = (mode: string, type: 'pid' | 'ipc'): NamespaceChoice => {
    if (mode === 'host') return 'host';
    return mode.startsWith('container:') ? join(mode, type) : 'new';
  };
  return {
    network: sandbox.netnsPath === undefined ? 'host' : { path: sandbox.netnsPath },
    pid: choose(host.PidMode, 'pid'),
    ipc: choose(host.IpcMode, 'ipc'),
    uts: host.UTSMode === 'host' ? 'host' : 'new',
    cgroup: host.CgroupnsMode === 'private' ? 'new' : 'host',
  };
}
