import type {
  DeviceMapping,
  DeviceRequest,
  HostConfig,
  LogConfig,
  Mount,
  PortBinding,
  RestartPolicy,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from '#spec';
import {
  type Decoder,
  flag,
  integer,
  list,
  map,
  nullable,
  optional,
  orEmpty,
  pair,
  struct,
  type StructDecoder,
  text,
} from './go-json.ts';

const texts = (): Decoder<string[] | null> => list(text());
const labels = (): Decoder<Record<string, string> | null> => map(text());
const throttles = (): Decoder<ThrottleDevice[] | null> =>
  list(struct<ThrottleDevice>({ Path: text(), Rate: integer('uint') }));

const mount = struct<Mount>({
  Type: text(),
  Source: optional(text()),
  Target: text(),
  ReadOnly: optional(flag()),
  Consistency: optional(text()),
  BindOptions: optional(
    struct<NonNullable<Mount['BindOptions']>>({
      Propagation: optional(text()),
      NonRecursive: optional(flag()),
      CreateMountpoint: optional(flag()),
      ReadOnlyNonRecursive: optional(flag()),
      ReadOnlyForceRecursive: optional(flag()),
    }),
  ),
  VolumeOptions: optional(
    struct<NonNullable<Mount['VolumeOptions']>>({
      NoCopy: optional(flag()),
      Labels: optional(labels()),
      DriverConfig: optional(
        struct<{ Name?: string; Options?: Record<string, string> }>({
          Name: optional(text()),
          Options: optional(labels()),
        }),
      ),
      Subpath: optional(text()),
    }),
  ),
  ImageOptions: optional(struct<{ Subpath?: string }>({ Subpath: optional(text()) })),
  TmpfsOptions: optional(
    struct<NonNullable<Mount['TmpfsOptions']>>({
      SizeBytes: optional(integer()),
      Mode: optional(integer('uint32')),
      Options: optional(list(orEmpty(texts(), () => []))),
    }),
  ),
});

const portBinding = struct<PortBinding>({ HostIp: text(), HostPort: text() });

/** Docker's `container.RestartPolicy`. */
export const restartPolicy: StructDecoder<RestartPolicy> = struct<RestartPolicy>({
  Name: text(),
  MaximumRetryCount: integer('int'),
});

/** Docker's `container.HostConfig`. */
export const hostConfig: StructDecoder<HostConfig> = struct<HostConfig>({
  Binds: texts(),
  ContainerIDFile: text(),
  LogConfig: struct<LogConfig>({ Type: text(), Config: orEmpty(labels(), () => ({})) }),
  NetworkMode: text(),
  PortBindings: map(list(portBinding)),
  RestartPolicy: restartPolicy,
  AutoRemove: flag(),
  VolumeDriver: text(),
  VolumesFrom: texts(),
  Mounts: optional(list(mount)),
  ConsoleSize: pair(integer('uint')),
  Annotations: optional(labels()),
  CapAdd: texts(),
  CapDrop: texts(),
  CgroupnsMode: text(),
  Dns: texts(),
  DnsOptions: texts(),
  DnsSearch: texts(),
  ExtraHosts: texts(),
  GroupAdd: texts(),
  IpcMode: text(),
  Cgroup: text(),
  Links: texts(),
  OomScoreAdj: integer('int'),
  PidMode: text(),
  Privileged: flag(),
  PublishAllPorts: flag(),
  ReadonlyRootfs: flag(),
  SecurityOpt: texts(),
  StorageOpt: optional(labels()),
  Tmpfs: optional(labels()),
  UTSMode: text(),
  UsernsMode: text(),
  ShmSize: integer(),
  Sysctls: optional(labels()),
  Runtime: text(),
  Isolation: text(),
  MaskedPaths: texts(),
  ReadonlyPaths: texts(),
  CpuShares: integer(),
  Memory: integer(),
  NanoCpus: integer(),
  CgroupParent: text(),
  BlkioWeight: integer('uint16'),
  BlkioWeightDevice: list(struct<WeightDevice>({ Path: text(), Weight: integer('uint16') })),
  BlkioDeviceReadBps: throttles(),
  BlkioDeviceWriteBps: throttles(),
  BlkioDeviceReadIOps: throttles(),
  BlkioDeviceWriteIOps: throttles(),
  CpuPeriod: integer(),
  CpuQuota: integer(),
  CpuRealtimePeriod: integer(),
  CpuRealtimeRuntime: integer(),
  CpusetCpus: text(),
  CpusetMems: text(),
  Devices: list(struct<DeviceMapping>({ PathOnHost: text(), PathInContainer: text(), CgroupPermissions: text() })),
  DeviceCgroupRules: texts(),
  DeviceRequests: list(
    struct<DeviceRequest>({
      Driver: text(),
      Count: integer('int'),
      DeviceIDs: texts(),
      Capabilities: list(orEmpty(texts(), () => [])),
      Options: labels(),
    }),
  ),
  KernelMemory: optional(integer()),
  KernelMemoryTCP: optional(integer()),
  MemoryReservation: integer(),
  MemorySwap: integer(),
  MemorySwappiness: nullable(integer()),
  OomKillDisable: nullable(flag()),
  Init: optional(flag()),
  PidsLimit: nullable(integer()),
  Ulimits: list(struct<Ulimit>({ Name: text(), Soft: integer(), Hard: integer() })),
  CpuCount: integer(),
  CpuPercent: integer(),
  IOMaximumIOps: integer('uint'),
  IOMaximumBandwidth: integer('uint'),
});
