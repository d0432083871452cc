import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createLinuxSys, MNT, planTableRemoval } from '#sys';
import { until } from './until.ts';

export interface Traces {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly bridge: string;
  readonly containerIds: ReadonlySet<string>;
}

/** Some of the clean-up (links, namespaces) rightly happens a little after the answer. */
const graceMs = 5_000;

/** What of a stopped daemon is still in the kernel or on disk, one line each. */
export async function findLeftovers(traces: Traces): Promise<string[]> {
  let found: string[] = [];
  try {
    await until(
      () => {
        found = [...processes(traces), ...mounts(traces), ...links(traces), ...cgroups(traces), ...files(traces)];
        return found.length === 0;
      },
      { what: 'a clean machine', timeoutMs: graceMs, intervalMs: 50 },
    );
    return [];
  } catch {
    return found;
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Processes end while we look at them.
    return '';
  }
}

/** Monitors and runtimes have our paths in their arguments, containers have them in the root mount's layers. */
function processes({ dataRoot, execRoot }: Traces): string[] {
  const ours = (text: string): boolean => text.includes(dataRoot) || text.includes(execRoot);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      const root = readOrEmpty(`/proc/${pid}/mountinfo`)
        .split('\n')
        .find((line) => line.split(' ')[4] === '/');
      return ours(readOrEmpty(`/proc/${pid}/cmdline`)) || ours(root ?? '');
    })
    .map((pid) => `process ${pid}: ${readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

function mounts({ dataRoot, execRoot }: Traces): string[] {
  return readOrEmpty('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(dataRoot) || line.includes(execRoot))
    .map((line) => `mount: ${line}`);
}

/** The bridge itself and the firewall table stay for the next start, as dockerd's do; see `sweepNetwork`. */
function links({ bridge }: Traces): string[] {
  return readdirSync('/sys/class/net')
    .filter(
      (name) => masterOf(name) === bridge || readOrEmpty(`/sys/class/net/${name}/ifalias`).includes(`berth:${bridge}`),
    )
    .map((name) => `network link: ${name}`);
}

/** Unmounts everything below a folder that is about to be removed, deepest first. */
export function sweepMounts(directory: string): void {
  const { mounts: kernel } = createLinuxSys();
  const targets = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${directory}/`));
  for (const target of targets.toReversed()) kernel.unmount(target, MNT.DETACH);
}

/** Removes what a stopped daemon rightly leaves in the host's network. */
export function sweepNetwork(bridge: string): void {
  const sys = createLinuxSys();
  using socket = sys.netlink.openRouteSocket();
  socket.deleteLink(bridge);
  using nft = sys.nft.openNftSocket();
  nft.commit(planTableRemoval({ family: 'inet', table: `berth-${bridge}` }));
}

function cgroups({ containerIds }: Traces): string[] {
  return directoriesBelow('/sys/fs/cgroup')
    .filter((path) => containerIds.has(/[0-9a-f]{64}/.exec(path.split('/').pop() ?? '')?.[0] ?? ''))
    .map((path) => `cgroup: ${path}`);
}

function directoriesBelow(root: string): string[] {
  let entries;
  try {
    entries = readdirSync(root, { withFileTypes: true });
  } catch {
    // A cgroup of somebody else's, removed under our eyes.
    return [];
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => [join(root, entry.name), ...directoriesBelow(join(root, entry.name))]);
}

function masterOf(link: string): string | undefined {
  try {
    return readlinkSync(`/sys/class/net/${link}/master`).split('/').pop();
  } catch {
    return undefined;
  }
}

/** What belongs to one container or execution; the daemon's own files and the runtime's compiled filters may stay. */
function files({ dataRoot, execRoot }: Traces): string[] {
  const containerId = /^[0-9a-f]{64}/;
  return [dataRoot, execRoot]
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) => join(root, path)))
    .filter((path) => path.startsWith(execRoot) || path.includes('/containers/'))
    .filter((path) => !path.includes('/filters/') && !path.includes('/.cache/'))
    .filter((path) => containerId.test(path.split('/').pop() ?? ''))
    .map((path) => `file: ${path}`);
}
