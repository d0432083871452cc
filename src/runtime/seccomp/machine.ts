/** The machine and container that a profile is made for. */
export interface SeccompTarget {
  /** Node's `process.arch`. */
  arch: string;
  /** Capabilities in the container's bounding set. */
  capabilities: readonly string[];
  /** `[6, 1]` for kernel 6.1. */
  kernel: readonly [number, number];
}

/** libseccomp's names: the machine's own and those whose programs run on it. */
export const seccompArchitectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** Go's names, which Docker's profiles use in their conditions. */
export const profileArchitectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['amd64', 'x86', 'x32'],
  arm64: ['arm64', 'arm'],
};
