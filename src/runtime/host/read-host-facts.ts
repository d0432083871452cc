import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { capabilitiesOfMask } from '../spec/capabilities.ts';
import type { HostFacts } from '../spec/host-facts.ts';
import type { CgroupFeatures } from '../spec/resources.ts';
import { parseProcLimits } from '../spec/rlimits.ts';
import { CgroupTree } from './cgroup-tree.ts';

/** Reads what containers' specifications depend on. Cheap, and the same for the life of the process. */
export function readHostFacts(options: { systemdCgroups: boolean }): HostFacts {
  const status = readFileSync('/proc/self/status', 'latin1');
  const mask = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return {
    arch: process.arch,
    kernel: [major, minor],
    capabilities: capabilitiesOfMask(BigInt(`0x${mask}`)),
    rlimits: parseProcLimits(readFileSync('/proc/self/limits', 'latin1')),
    cgroup: readCgroupFeatures(CgroupTree.detect()),
    seccomp: /^Seccomp:/m.test(status),
    apparmor: readIfThere('/sys/module/apparmor/parameters/enabled')?.startsWith('Y') ?? false,
    systemdCgroups: options.systemdCgroups,
  };
}

function readCgroupFeatures(tree: CgroupTree): CgroupFeatures {
  if (tree.version === 1) {
    return {
      version: 1,
      swapLimit: existsSync(tree.file('memory', '/', 'memory.memsw.limit_in_bytes')),
      ioWeight: ['blkio.weight', 'blkio.bfq.weight'].some((name) => existsSync(tree.file('blkio', '/', name))),
    };
  }
  // The root has no limits to look at: our own group, or the controllers, tell.
  const controllers = readIfThere(tree.file('', '/', 'cgroup.controllers')) ?? '';
  return { version: 2, swapLimit: existsSync('/proc/swaps'), ioWeight: /\bio\b/.test(controllers) };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
