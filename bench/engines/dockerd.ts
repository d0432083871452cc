import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from '#client';
import { createLinuxSys } from '#sys';
import { dockerCliPath } from '../../test/helpers/docker-cli.ts';
import { sweepMounts } from '../../test/helpers/leftovers.ts';
import { until } from '../../test/helpers/until.ts';
import { type BenchEngine, processesNamed } from './engine.ts';

const program = '/usr/sbin/dockerd';
/** Of this run alone, so that two of them can go on at once. */
const bridge = `bench${process.pid}`;
const subnetByte = process.pid % 256;

/** Debian's dockerd, on roots and a bridge of its own. */
export async function startDockerd(): Promise<BenchEngine> {
  const directory = mkdtempSync('/var/tmp/berth-bench-docker-');
  const execRoot = join(directory, 'exec');
  const host = `unix://${join(directory, 'docker.sock')}`;
  makeBridge();
  writeFileSync(join(directory, 'daemon.json'), '{}');
  const log = openSync(join(directory, 'log'), 'a');
  const flags = [
    ['--config-file', join(directory, 'daemon.json')],
    ['--data-root', join(directory, 'data')],
    ['--exec-root', execRoot],
    ['--pidfile', join(directory, 'pid')],
    ['--bridge', bridge],
    ['-H', host],
  ].flat();
  const child = spawn(program, flags, { stdio: ['ignore', log, log] });
  closeSync(log);
  const client = new ApiClient({ host });
  const stop = async (): Promise<void> => {
    client.close();
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    sweepMounts(directory);
    rmSync(directory, { recursive: true, force: true });
    using socket = createLinuxSys().netlink.openRouteSocket();
    socket.deleteLink(bridge);
  };
  try {
    await until(
      async () => {
        if (child.exitCode !== null)
          throw new Error(`dockerd ended: ${readFileSync(join(directory, 'log'), 'utf8').slice(-2000)}`);
        await client.ping();
        return true;
      },
      { what: 'dockerd', timeoutMs: 60_000, giveUp: () => child.exitCode !== null },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const { Version } = await client.get<{ Version: string }>('/version');
  return {
    name: 'docker',
    version: Version,
    cli: [dockerCliPath()],
    env: { DOCKER_HOST: host },
    ownCli: [dockerCliPath()],
    processes: () =>
      processesNamed(
        (line) => line.includes(directory) && /^\S*(dockerd|containerd|containerd-shim\S*|docker-proxy) /.test(line),
      ),
    stop,
  };
}

function makeBridge(): void {
  using socket = createLinuxSys().netlink.openRouteSocket();
  socket.deleteLink(bridge);
  socket.createBridge({ name: bridge });
  const link = socket.findLink(bridge);
  if (!link) throw new Error(`no bridge ${bridge}`);
  socket.addAddress({ linkIndex: link.index, address: `10.198.${subnetByte}.1`, prefixLength: 24 });
  socket.setLink(link.index, { up: true });
}
