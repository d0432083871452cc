import { EngineError } from '#errors';

/** By their bit numbers in the kernel. */
const KNOWN = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
].map((name) => `CAP_${name}`);

/** What a container has without further words: Docker's fourteen. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/** Names for the bits of a `Cap…` line of `/proc/<pid>/status`. */
export function capabilitiesOfMask(mask: bigint): string[] {
  return KNOWN.filter((_name, bit) => ((mask >> BigInt(bit)) & 1n) === 1n);
}

export interface CapabilityRequest {
  add: readonly string[];
  drop: readonly string[];
  privileged: boolean;
  /** What this host has to give. */
  available: readonly string[];
}

/**
 * The capabilities of a container, by Docker's rules: `ALL` in `add` means all but the dropped, `ALL` in `drop` means
 * only the added.
 *
 * @throws invalidArgument for a name that does not exist or that this host does not have.
 */
export function resolveCapabilities(request: CapabilityRequest): string[] {
  const { available } = request;
  if (request.privileged) return [...available];
  const drop = normalizeCapabilities(request.drop, available);
  const add = normalizeCapabilities(request.add, available);
  if (add.includes('ALL')) return available.filter((name) => !drop.includes(name));
  if (drop.includes('ALL')) return [...new Set(add)];
  // On a host that lacks one of the defaults the container goes without it.
  const kept = defaultCapabilities.filter((name) => !drop.includes(name) && available.includes(name));
  return [...new Set([...kept, ...add])];
}

/** `net_admin`, `NET_ADMIN` and `CAP_NET_ADMIN` are one; `ALL` stays. @throws as {@link resolveCapabilities}. */
export function normalizeCapabilities(names: readonly string[], available: readonly string[]): string[] {
  return names.map((given) => {
    const upper = given.toUpperCase();
    if (upper === 'ALL') return upper;
    const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!KNOWN.includes(name)) {
      throw new EngineError('invalidArgument', 'UNKNOWN_CAPABILITY', `unknown capability: "${name}"`);
    }
    if (!available.includes(name)) {
      throw new EngineError(
        'invalidArgument',
        'CAPABILITY_NOT_AVAILABLE',
        `capability not supported by your kernel or not available in the current environment: "${name}"`,
      );
    }
    return name;
  });
}
