import { parentPort } from 'node:worker_threads';
import { CLONE, createLinuxSys } from '#sys';
import { runNft } from '../../helpers/nft.ts';
import type { SandboxRequest } from '#net';
import { createFixture, createOutside, requestFor } from './fixture.ts';

const { namespaces, netlink } = createLinuxSys();
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
const countOurs = (): number => runNft('list ruleset').split('"bt-').length - 1;

const fixture = createFixture();
const { networks, busybox } = fixture;
runNft(dropping);
await networks.open();
const onDefault = (containerId: string): SandboxRequest => requestFor(networks, containerId);
const outside = createOutside(fixture, '198.18.79');
const one = await networks.create(onDefault('one'));
const reaches = (tries = 5): boolean => {
  try {
    busybox(one.netnsPath ?? '', 'ping', '-c', String(tries), '-i', '0.5', '-W', '1', outside.address);
    return true;
  } catch {
    return false;
  }
};
const beside = reaches();
runNft(`delete table ip filter\n${dropping}`);
const dropped = reaches(1);
await networks.create(onDefault('two'));
const addedLater = reaches();
runNft('flush ruleset');
await networks.create(onDefault('three'));
const flushed = reaches();
runNft(dropping);
await networks.open();
await networks.close({ keepKernelState: false });
const left = countOurs();
outside[Symbol.dispose]();
await fixture[Symbol.asyncDispose]();
parentPort?.postMessage({ beside, dropped, addedLater, flushed, left });
