import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { Sys } from '#sys';
import { readCgroupFeatures } from './cgroup-features.ts';
import { capabilitiesOfMask } from '../spec/capabilities.ts';
import type { HostFacts } from '../spec/host-facts.ts';
import { parseProcLimits } from '../spec/rlimits.ts';

/** Reads what containers' specifications depend on. Cheap, and the same for the life of the process. */
export function readHostFacts(sys: Pick<Sys, 'cgroups'>, options: { systemdCgroups: boolean }): HostFacts {
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
    cgroup: readCgroupFeatures(sys.cgroups.detect()),
    seccomp: /^Seccomp:/m.test(status),
    apparmor: readIfThere('/sys/module/apparmor/parameters/enabled')?.startsWith('Y') ?? false,
    systemdCgroups: options.systemdCgroups,
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
