import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sweepMounts } from '../../test/helpers/leftovers.ts';
import { type BenchEngine, cli, processesNamed } from './engine.ts';

const program = '/usr/bin/podman';

/** Podman has no daemon: its own CLI is the engine. */
export async function startPodman(): Promise<BenchEngine> {
  const directory = mkdtempSync('/var/tmp/berth-bench-podman-');
  const roots = [
    '--root',
    join(directory, 'root'),
    '--runroot',
    join(directory, 'run'),
    '--tmpdir',
    join(directory, 'tmp'),
  ];
  // Podman raises limits to its own defaults, which fails where the machine's hard limits are lower.
  const conf = join(directory, 'containers.conf');
  writeFileSync(conf, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n');
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().split(' ').at(-1) ?? '';
  const engine: BenchEngine = {
    name: 'podman',
    version,
    cli: [program, ...roots],
    env: { CONTAINERS_CONF: conf },
    ownCli: [program, ...roots],
    processes: () => processesNamed((line) => line.includes(directory) && /^\S*(podman|conmon) /.test(line)),
    stop: async () => {
      await cli(engine, ['rm', '--all', '--force', '--time', '0']);
      sweepMounts(directory);
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return await Promise.resolve(engine);
}
