import { parentPort } from 'node:worker_threads';
import { CLONE, createLinuxSys } from '#sys';
import { createFixture, createOutside } from './fixture.ts';

const { namespaces, netlink, nft } = createLinuxSys();
namespaces.unshare(CLONE.NEWNET);
{
  using home = netlink.openRouteSocket();
  home.setLink(home.findLink('lo')?.index ?? 0, { up: true });
}

/** What dockerd sets up through iptables, as far as our packets meet it. */
const dropping = `
add table ip filter
add chain ip filter FORWARD { type filter hook forward priority filter; policy drop; }
add rule ip filter FORWARD oifname "docker0" counter accept
`;
const countOurs = (): number => nft.run('list ruleset').split('"bt-').length - 1;

const fixture = createFixture();
const { networks, busybox } = fixture;
nft.run(dropping);
await networks.open();
const outside = createOutside(fixture, '198.18.79');
const one = await networks.create({ containerId: 'one', mode: 'bridge', sysctls: {} });
const reaches = (tries = 5): boolean => {
  try {
    busybox(one.netnsPath ?? '', 'ping', '-c', String(tries), '-i', '0.5', '-W', '1', outside.address);
    return true;
  } catch {
    return false;
  }
};
const beside = reaches();
nft.run(`delete table ip filter\n${dropping}`);
const dropped = reaches(1);
await networks.create({ containerId: 'two', mode: 'bridge', sysctls: {} });
const addedLater = reaches();
nft.run('flush ruleset');
await networks.create({ containerId: 'three', mode: 'bridge', sysctls: {} });
const flushed = reaches();
nft.run(dropping);
await networks.open();
await networks.close({ keepKernelState: false });
const left = countOurs();
outside[Symbol.dispose]();
await fixture[Symbol.asyncDispose]();
parentPort?.postMessage({ beside, dropped, addedLater, flushed, left });
