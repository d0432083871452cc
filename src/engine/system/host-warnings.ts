import type { CgroupFeatures } from '#runtime';

/** What this host cannot do for containers, as `docker info` tells it. */
export function hostWarnings(features: CgroupFeatures, ipv4Forwarding: boolean): string[] {
  const isV2 = features.version === 2;
  const missing: [supported: boolean, what: string][] = [
    [features.memoryLimit, 'No memory limit support'],
    [features.swapLimit, 'No swap limit support'],
    // Version 2 has none, and nobody can do anything about it.
    [features.oomKillDisable || isV2, 'No oom kill disable support'],
    [features.cpuQuota, 'No cpu cfs quota support'],
    [features.cpuQuota, 'No cpu cfs period support'],
    [features.cpuShares, 'No cpu shares support'],
    [features.cpuset, 'No cpuset support'],
    // Version 1 lost its weights with Linux 5.0.
    [features.ioWeight || !isV2, 'No io.weight support'],
    [features.ioWeightDevice || !isV2, 'No io.weight (per device) support'],
    [features.readBps, isV2 ? 'No io.max (rbps) support' : 'No blkio throttle.read_bps_device support'],
    [features.writeBps, isV2 ? 'No io.max (wbps) support' : 'No blkio throttle.write_bps_device support'],
    [features.readIops, isV2 ? 'No io.max (riops) support' : 'No blkio throttle.read_iops_device support'],
    [features.writeIops, isV2 ? 'No io.max (wiops) support' : 'No blkio throttle.write_iops_device support'],
    [ipv4Forwarding, 'IPv4 forwarding is disabled'],
  ];
  return missing.filter(([supported]) => !supported).map(([, what]) => `WARNING: ${what}`);
}
