import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '#lib';
import {
  BridgeNetworks,
  createMemoryNetworkStore,
  type EndpointRequest,
  type NetworkOptions,
  type NetworkSpec,
  type SandboxRequest,
} from '#net';
import { createLinuxSys, type Sys } from '#sys';

export interface Fixture extends AsyncDisposable {
  sys: Sys;
  /** Bridge and table have names of this fixture's own, the subnet is the first free one. */
  options: NetworkOptions;
  networks: BridgeNetworks;
  /** Runs a command of busybox in the namespace at `path` and answers its output. */
  busybox: (path: string, ...args: string[]) => string;
}

let count = 0;

/** Networks beside whatever else is on this host; disposing takes all of it out of the kernel. */
export function createFixture(overrides: Partial<NetworkOptions> = {}): Fixture {
  const sys = createLinuxSys();
  const execRoot = mkdtempSync(join(tmpdir(), 'berth-net-'));
  const unique = `${process.pid.toString(36)}x${count++}`;
  const options: NetworkOptions = {
    sys,
    execRoot,
    store: createMemoryNetworkStore(),
    logger: createLogger('error'),
    bridgeName: `bt-${unique}`,
    tableName: `berth-test-${unique}`,
    ...overrides,
  };
  const networks = new BridgeNetworks(options);
  return {
    sys,
    options,
    networks,
    busybox: (path, ...args) =>
      execFileSync('nsenter', [`--net=${path}`, 'busybox', ...args], { encoding: 'utf8', stdio: 'pipe' }),
    [Symbol.asyncDispose]: async () => {
      await networks.open();
      await networks.close({ keepKernelState: false });
      rmSync(execRoot, { recursive: true });
    },
  };
}

export interface Outside extends Disposable {
  netnsPath: string;
  address: string;
}

/** A machine beyond the host: a namespace on a cable of its own, which knows no way back to containers. */
export function createOutside(fixture: Fixture, prefix: string): Outside {
  const { sys, options } = fixture;
  const netnsPath = join(options.execRoot, 'outside');
  using inside = sys.namespaces.createNetns(netnsPath, () => sys.netlink.openRouteSocket());
  using host = sys.netlink.openRouteSocket();
  const name = `${options.bridgeName ?? ''}o`;
  const netnsFd = openSync(netnsPath, 'r');
  host.createVeth({ name, up: true, peer: { name: 'eth0', netnsFd } });
  closeSync(netnsFd);
  const linkIndex = inside?.findLink('eth0')?.index ?? 0;
  inside?.addAddress({ linkIndex, address: `${prefix}.2`, prefixLength: 30 });
  inside?.setLink(linkIndex, { up: true });
  host.addAddress({ linkIndex: host.findLink(name)?.index ?? 0, address: `${prefix}.1`, prefixLength: 30 });
  return {
    netnsPath,
    address: `${prefix}.2`,
    [Symbol.dispose]: () => {
      using socket = sys.netlink.openRouteSocket();
      socket.deleteLink(name);
      sys.namespaces.removeNetns(netnsPath);
    },
  };
}

/** A container on the default network. */
export function requestFor(
  networks: BridgeNetworks,
  containerId: string,
  more: Partial<EndpointRequest> = {},
): SandboxRequest {
  const networkId = networks.find('bridge')?.id ?? '';
  return { containerId, mode: 'own', endpoints: [{ networkId, ...more }], sysctls: {} };
}

/** A network that nothing is asked of. */
export function networkSpec(name: string, more: Partial<NetworkSpec> = {}): NetworkSpec {
  return {
    name,
    driver: 'bridge',
    internal: false,
    attachable: false,
    enableIPv6: false,
    ipamDriver: 'default',
    blocks: [],
    options: {},
    labels: {},
    ...more,
  };
}
