import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { TestDaemon } from '../../test/helpers/daemon.ts';
import { dockerCliPath } from '../../test/helpers/docker-cli.ts';
import { type BenchEngine, processesNamed } from './engine.ts';

const clone = join(import.meta.dirname, '../..');

/** A berthd of our own, as an installed package runs it, logging as in production. */
export async function startBerth(): Promise<BenchEngine> {
  const directory = install();
  try {
    const daemon = await TestDaemon.start({ logLevel: 'info', launcher: join(directory, 'bin/berthd') });
    const { Version } = await daemon.client.get<{ Version: string }>('/version');
    return {
      name: 'berth',
      version: Version,
      cli: [dockerCliPath()],
      env: { DOCKER_HOST: daemon.host },
      ownCli: [join(directory, 'bin/berth')],
      processes: () => [
        daemon.pid,
        ...processesNamed((line) => line.includes('conmon') && line.includes(daemon.dataRoot.replace(/\/data$/, ''))),
      ],
      stop: async () => {
        try {
          await daemon.stop();
        } finally {
          await daemon.dispose();
          rmSync(directory, { recursive: true });
        }
      },
    };
  } catch (error) {
    rmSync(directory, { recursive: true });
    throw error;
  }
}

/**
 * What `npm pack` packs, in a folder. Its Node is a file of its own: this program runs Node too, and pages of one file are
 * counted for both by half.
 */
function install(): string {
  execFileSync(join(clone, 'scripts/build'));
  execFileSync(join(clone, 'scripts/build-cli'), { stdio: ['ignore', 'ignore', 'inherit'] });
  const directory = mkdtempSync('/var/tmp/berth-bench-installed-');
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(clone, name), join(directory, name), { recursive: true, preserveTimestamps: true });
  }
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(clone, 'node_modules'))) {
    const installed = realpathSync(join(clone, 'node_modules', name));
    if (name.startsWith('node-linux-')) cpSync(installed, join(modules, name), { recursive: true });
    else if (!name.startsWith('.')) symlinkSync(installed, join(modules, name));
  }
  return directory;
}
