import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createLinuxSys } from '#sys';
import { isBerth } from './target.ts';
import type { TestEngine } from './engine.ts';

/** A machine beyond the host: a namespace at the other end of a cable. It knows no way but to the host. */
export interface OutsideHost {
  netnsPath: string;
  /** Its own. */
  address: string;
  /** The host's, on that cable. */
  hostAddress: string;
}

/** A number that no other test daemon on this machine has. */
function slotOf(engine: TestEngine): number {
  return isBerth ? Number(/\d+$/.exec(engine.daemon.bridge)?.[0] ?? 0) : 99;
}

/** The first of fifty ports that belong to the tests of one engine. */
export function firstPort(engine: TestEngine): number {
  return 20_000 + slotOf(engine) * 50;
}

/** Connects a machine to the host until the test ends. */
export function connectOutside(t: TestContext, engine: TestEngine): OutsideHost {
  const sys = createLinuxSys();
  const slot = slotOf(engine);
  const [hostAddress, address] = [`198.18.${100 + slot}.1`, `198.18.${100 + slot}.2`];
  const directory = mkdtempSync('/var/tmp/berth-outside-');
  const netnsPath = join(directory, 'netns');
  const name = `bout${slot}`;
  t.after(() => {
    using socket = sys.netlink.openRouteSocket();
    socket.deleteLink(name);
    sys.namespaces.removeNetns(netnsPath);
    rmSync(directory, { recursive: true });
  });
  using inside = sys.namespaces.createNetns(netnsPath, () => sys.netlink.openRouteSocket());
  using host = sys.netlink.openRouteSocket();
  const netnsFd = openSync(netnsPath, 'r');
  host.createVeth({ name, up: true, peer: { name: 'eth0', netnsFd } });
  closeSync(netnsFd);
  const linkIndex = inside?.findLink('eth0')?.index ?? 0;
  inside?.addAddress({ linkIndex, address, prefixLength: 30 });
  inside?.setLink(linkIndex, { up: true });
  host.addAddress({ linkIndex: host.findLink(name)?.index ?? 0, address: hostAddress, prefixLength: 30 });
  return { netnsPath, address, hostAddress };
}

const request = 'GET /cgi-bin/who HTTP/1.0\r\n\r\n';

type CommandLine = readonly [string, ...string[]];

/** The command in a namespace, or in ours. Newer programs nsenter refuse to enter none. */
function within(netnsPath: string | undefined, command: CommandLine): CommandLine {
  return netnsPath === undefined ? command : ['nsenter', `--net=${netnsPath}`, ...command];
}

/**
 * What the answer to `text` at an address is, from the host or from a namespace; empty when there is none within two
 * seconds.
 */
export async function ask(
  where: { address: string; port: number; netnsPath?: string },
  text: string = request,
): Promise<string> {
  const client = ['timeout', '3', 'busybox', 'nc', '-w', '2', where.address, String(where.port)];
  const [program, ...args] = within(where.netnsPath, ['busybox', ...client]);
  return await new Promise((resolve) => {
    const child = execFile(program, args, (_error, stdout) => resolve(stdout));
    // Refused, it ends before it has read.
    child.stdin?.on('error', () => undefined).end(text);
  });
}

/** A shell line that answers every request at a TCP port with where it came from. */
export function whoServer(port: number): string {
  return [
    'mkdir -p /w/cgi-bin',
    `printf '#!/bin/sh\\necho; echo "from $REMOTE_ADDR to '$(hostname)'"\\n' >/w/cgi-bin/who`,
    'chmod +x /w/cgi-bin/who',
    `exec httpd -f -p ${port} -h /w`,
  ].join('; ');
}

const echo = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (text, from) => socket.send(process.argv[2] + ' ' + from.address, from.port, from.address));
  socket.bind(Number(process.argv[1]), () => console.log('ready'));`;

const say = `
  const [port, address, from] = process.argv.slice(1);
  const socket = require('node:dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (text) => { console.log(String(text)); process.exit(); });
  socket.bind(Number(from), () => socket.send('hello', Number(port), address));
  setTimeout(() => process.exit(), 1500);`;

/** Answers datagrams in a container with `name` and the sender's address until the test ends. */
export async function serveUdp(t: TestContext, pid: number, port: number, name: string): Promise<void> {
  const child = spawn('nsenter', [`--net=/proc/${pid}/ns/net`, process.execPath, '-e', echo, String(port), name]);
  t.after(() => child.kill());
  await once(child.stdout, 'data');
}

/** What is answered to a datagram, sent from always the same port; empty for nothing. */
export async function askUdp(where: {
  address: string;
  port: number;
  netnsPath?: string;
  from: number;
}): Promise<string> {
  const client = [process.execPath, '-e', say, String(where.port), where.address, String(where.from)] as const;
  const [program, ...args] = within(where.netnsPath, client);
  return await new Promise((resolve) => {
    execFile(program, args, (_error, stdout) => resolve(stdout.trim()));
  });
}
