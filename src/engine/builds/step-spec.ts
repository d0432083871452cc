import { EngineError } from '#errors';
import type { CgroupFeatures, SpecInput, SpecMount } from '#runtime';
import { emptyContainerConfig, emptyHostConfig, type HostConfig } from '#spec';
import type { Step } from './step.ts';

const DEFAULT_HOSTNAME = 'buildkitsandbox';

/** The part of a step's specification that follows from the step alone. */
export function stepConfig(step: Step, features: CgroupFeatures): Pick<SpecInput, 'config' | 'hostConfig' | 'args'> {
  return {
    config: emptyContainerConfig({
      Hostname: hostnameOf(step),
      User: step.user,
      Env: [...step.env],
      WorkingDir: step.workingDir,
    }),
    hostConfig: toHostConfig(step, features),
    args: step.args,
  };
}

export function hostnameOf({ hostname }: Step): string {
  return hostname === '' ? DEFAULT_HOSTNAME : hostname;
}

function toHostConfig({ limits, privileged }: Step, features: CgroupFeatures): HostConfig {
  return emptyHostConfig({
    Privileged: privileged,
    SecurityOpt: [...limits.securityOptions],
    CgroupParent: limits.cgroupParent,
    CgroupnsMode: privileged || features.version === 1 ? 'host' : 'private',
    IpcMode: 'private',
    Memory: limits.memoryBytes,
    // Docker's default for a limit of memory alone.
    MemorySwap:
      limits.memorySwapBytes === 0 && limits.memoryBytes > 0 ? limits.memoryBytes * 2 : limits.memorySwapBytes,
    CpuShares: limits.cpuShares,
    CpuPeriod: limits.cpuPeriod,
    CpuQuota: limits.cpuQuota,
    CpusetCpus: limits.cpusetCpus,
    CpusetMems: limits.cpusetMems,
    ShmSize: limits.shmSizeBytes,
    Ulimits: limits.ulimits.map((each) => ({ ...each })),
  });
}

/** The files of `/etc` that a step finds for its network. */
export function networkFileMounts(directory: string): SpecMount[] {
  return ['resolv.conf', 'hostname', 'hosts'].map((name) => ({
    type: 'bind',
    source: `${directory}/${name}`,
    destination: `/etc/${name}`,
    readOnly: false,
    propagation: 'rprivate',
    recursive: false,
    tmpfsOptions: [],
  }));
}

/** @throws invalidArgument for a device that must be there: we have no registry of devices. */
export function checkDevices({ devices }: Step): void {
  for (const device of devices) {
    const [name = '', ...options] = device.split(',');
    if (!options.includes('required') && !options.includes('required=true')) continue;
    throw new EngineError('invalidArgument', 'NO_SUCH_DEVICE', `unable to satisfy required device: ${name}`);
  }
}
