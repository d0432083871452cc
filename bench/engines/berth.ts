import { join } from 'node:path';
import { TestDaemon } from '../../test/helpers/daemon.ts';
import { dockerCliPath } from '../../test/helpers/docker-cli.ts';
import { type BenchEngine, processesNamed } from './engine.ts';

/** A berthd of our own, logging as in production. */
export async function startBerth(): Promise<BenchEngine> {
  const daemon = await TestDaemon.start({ logLevel: 'info' });
  const { Version } = await daemon.client.get<{ Version: string }>('/version');
  return {
    name: 'berth',
    version: Version,
    cli: [dockerCliPath()],
    env: { DOCKER_HOST: daemon.host },
    ownCli: [join(import.meta.dirname, '../../bin/berth')],
    processes: () => [
      daemon.pid,
      ...processesNamed((line) => line.includes('conmon') && line.includes(daemon.dataRoot.replace(/\/data$/, ''))),
    ],
    stop: async () => {
      try {
        await daemon.stop();
      } finally {
        await daemon.dispose();
      }
    },
  };
}
