import { dirname, join } from 'node:path';
import type { LaunchRequest } from './contract.ts';

/** conmon's files lie in the bundle (container) or beside the process file (exec). */
export function processDirectory(request: Pick<LaunchRequest, 'kind' | 'bundleOrProcessFile'>): string {
  return request.kind === 'exec' ? dirname(request.bundleOrProcessFile) : request.bundleOrProcessFile;
}

/** conmon's command line for a launch. */
export function conmonArgs(request: LaunchRequest, exitDirectory: string): string[] {
  const directory = processDirectory(request);
  const args = [
    '--api-version=1',
    `--cid=${request.containerId}`,
    `--cuuid=${request.id}`,
    `--name=${request.name}`,
    `--runtime=${request.runtimePath}`,
    `--bundle=${directory}`,
    // For the file `oom`, which conmon makes there when the kernel killed for memory.
    `--persist-dir=${directory}`,
    `--container-pidfile=${join(directory, 'pid')}`,
    `--exit-dir=${exitDirectory}`,
    `--log-path=${request.logPath === undefined ? 'none' : `k8s-file:${request.logPath}`}`,
    '--log-level=error',
    '--full-attach',
    '--no-sync-log',
    ...request.runtimeArgs.map((arg) => `--runtime-arg=${arg}`),
  ];
  if (request.tty) args.push('--terminal');
  if (request.stdin) args.push('--stdin');
  // Closing stdin of a terminal would leave later clients unable to type; without a terminal it is StdinOnce's matter.
  if (request.stdin && (request.tty || !request.stdinOnce)) args.push('--leave-stdin-open');
  if (request.kind === 'exec') {
    args.push('--exec', '--exec-attach', `--exec-process-spec=${request.bundleOrProcessFile}`);
  }
  return args;
}
