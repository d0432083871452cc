/**
 * The Go structs that `--format` templates see, as lists of `GoName[=JsonName]:type[?]`.
 *
 * Types are `string`, `int`, `bool`, `float`, `any`, a struct's name, and `*T`, `[]T`, `map:T` of those; `?` marks what JSON
 * leaves out when empty. The order is that of the API's types, in which they are printed.
 */
export const shapes: Readonly<Record<string, string>> = {
  'container.InspectResponse': `
    ID=Id:string Created:string Path:string Args:[]string State:*container.State Image:string ResolvConfPath:string
    HostnamePath:string HostsPath:string LogPath:string Name:string RestartCount:int Driver:string Platform:string
    MountLabel:string ProcessLabel:string AppArmorProfile:string ExecIDs:[]string HostConfig:*container.HostConfig
    GraphDriver:storage.DriverData SizeRw:*int? SizeRootFs:*int? Mounts:[]container.MountPoint Config:*container.Config
    NetworkSettings:*container.NetworkSettings ImageManifestDescriptor:*any?`,
  'container.State': `
    Status:string Running:bool Paused:bool Restarting:bool OOMKilled:bool Dead:bool Pid:int ExitCode:int Error:string
    StartedAt:string FinishedAt:string Health:*container.Health?`,
  'container.Health': 'Status:string FailingStreak:int Log:[]container.HealthcheckResult',
  'container.HealthcheckResult': 'Start:string End:string ExitCode:int Output:string',
  'container.Config': `
    Hostname:string Domainname:string User:string AttachStdin:bool AttachStdout:bool AttachStderr:bool
    ExposedPorts:map:struct? Tty:bool OpenStdin:bool StdinOnce:bool Env:[]string Cmd:[]string
    Healthcheck:*container.HealthConfig? ArgsEscaped:bool? Image:string Volumes:map:struct WorkingDir:string
    Entrypoint:[]string NetworkDisabled:bool? MacAddress:string? OnBuild:[]string Labels:map:string StopSignal:string?
    StopTimeout:*int? Shell:[]string?`,
  'container.HealthConfig':
    'Test:[]string? Interval:int? Timeout:int? StartPeriod:int? StartInterval:int? Retries:int?',
  'container.HostConfig': `
    Binds:[]string ContainerIDFile:string LogConfig:container.LogConfig NetworkMode:string
    PortBindings:map:[]nat.PortBinding RestartPolicy:container.RestartPolicy AutoRemove:bool VolumeDriver:string
    VolumesFrom:[]string ConsoleSize:[]int Annotations:map:string? CapAdd:[]string CapDrop:[]string CgroupnsMode:string
    DNS=Dns:[]string DNSOptions=DnsOptions:[]string DNSSearch=DnsSearch:[]string ExtraHosts:[]string GroupAdd:[]string
    IpcMode:string Cgroup:string Links:[]string OomScoreAdj:int PidMode:string Privileged:bool PublishAllPorts:bool
    ReadonlyRootfs:bool SecurityOpt:[]string StorageOpt:map:string? Tmpfs:map:string? UTSMode:string UsernsMode:string
    ShmSize:int Sysctls:map:string? Runtime:string? Isolation:string CPUShares=CpuShares:int Memory:int
    NanoCPUs=NanoCpus:int CgroupParent:string BlkioWeight:int BlkioWeightDevice:[]blkiodev.WeightDevice
    BlkioDeviceReadBps:[]blkiodev.ThrottleDevice BlkioDeviceWriteBps:[]blkiodev.ThrottleDevice
    BlkioDeviceReadIOps:[]blkiodev.ThrottleDevice BlkioDeviceWriteIOps:[]blkiodev.ThrottleDevice
    CPUPeriod=CpuPeriod:int CPUQuota=CpuQuota:int CPURealtimePeriod=CpuRealtimePeriod:int
    CPURealtimeRuntime=CpuRealtimeRuntime:int CpusetCpus:string CpusetMems:string Devices:[]container.DeviceMapping
    DeviceCgroupRules:[]string DeviceRequests:[]container.DeviceRequest KernelMemory:int? KernelMemoryTCP:int?
    MemoryReservation:int MemorySwap:int MemorySwappiness:*int OomKillDisable:*bool PidsLimit:*int
    Ulimits:[]container.Ulimit CPUCount=CpuCount:int CPUPercent=CpuPercent:int IOMaximumIOps:int IOMaximumBandwidth:int
    Mounts:[]mount.Mount? MaskedPaths:[]string ReadonlyPaths:[]string Init:*bool?`,
  'container.LogConfig': 'Type:string Config:map:string',
  'container.RestartPolicy': 'Name:string MaximumRetryCount:int',
  'container.DeviceMapping': 'PathOnHost:string PathInContainer:string CgroupPermissions:string',
  'container.DeviceRequest': 'Driver:string Count:int DeviceIDs:[]string Capabilities:[][]string Options:map:string',
  'container.Ulimit': 'Name:string Hard:int Soft:int',
  'blkiodev.WeightDevice': 'Path:string Weight:int',
  'blkiodev.ThrottleDevice': 'Path:string Rate:int',
  'nat.PortBinding': 'HostIP=HostIp:string HostPort:string',
  'container.MountPoint': `
    Type:string? Name:string? Source:string Destination:string Driver:string? Mode:string RW:bool Propagation:string`,
  'mount.Mount': `
    Type:string? Source:string? Target:string? ReadOnly:bool? Consistency:string? BindOptions:*any? VolumeOptions:*any?
    ImageOptions:*any? TmpfsOptions:*any? ClusterOptions:*any?`,
  'container.NetworkSettings': `
    Bridge:string SandboxID:string SandboxKey:string Ports:map:[]nat.PortBinding HairpinMode:bool
    LinkLocalIPv6Address:string LinkLocalIPv6PrefixLen:int SecondaryIPAddresses:[]any SecondaryIPv6Addresses:[]any
    EndpointID:string Gateway:string GlobalIPv6Address:string GlobalIPv6PrefixLen:int IPAddress:string IPPrefixLen:int
    IPv6Gateway:string MacAddress:string Networks:map:*network.EndpointSettings`,
  'network.EndpointSettings': `
    IPAMConfig:*network.EndpointIPAMConfig Links:[]string Aliases:[]string MacAddress:string DriverOpts:map:string
    GwPriority:int NetworkID:string EndpointID:string Gateway:string IPAddress:string IPPrefixLen:int IPv6Gateway:string
    GlobalIPv6Address:string GlobalIPv6PrefixLen:int DNSNames:[]string`,
  'network.EndpointIPAMConfig': 'IPv4Address:string? IPv6Address:string? LinkLocalIPs:[]string?',
  'storage.DriverData': 'Data:map:string Name:string',
  'image.InspectResponse': `
    ID=Id:string RepoTags:[]string RepoDigests:[]string Parent:string Comment:string Created:string? DockerVersion:string
    Author:string Config:*image.Config Architecture:string Variant:string? Os:string OsVersion:string? Size:int
    VirtualSize:int? GraphDriver:storage.DriverData RootFS:image.RootFS Metadata:image.Metadata Descriptor:*any?
    Manifests:[]any?`,
  'image.Config': `
    User:string? ExposedPorts:map:struct? Env:[]string? Entrypoint:[]string? Cmd:[]string? Volumes:map:struct?
    WorkingDir:string? Labels:map:string? StopSignal:string? ArgsEscaped:bool? Healthcheck:*container.HealthConfig?
    OnBuild:[]string? Shell:[]string?`,
  'image.RootFS': 'Type:string? Layers:[]string?',
  'image.Metadata': 'LastTagTime:string?',
  'network.Inspect': `
    Name:string ID=Id:string Created:string Scope:string Driver:string EnableIPv4:bool EnableIPv6:bool IPAM:network.IPAM
    Internal:bool Attachable:bool Ingress:bool ConfigFrom:network.ConfigReference ConfigOnly:bool
    Containers:map:network.EndpointResource Options:map:string Labels:map:string Peers:[]any? Services:map:any?`,
  'network.IPAM': 'Driver:string Options:map:string Config:[]network.IPAMConfig',
  'network.IPAMConfig': 'Subnet:string? IPRange:string? Gateway:string? AuxAddress=AuxiliaryAddresses:map:string?',
  'network.ConfigReference': 'Network:string',
  'network.EndpointResource': 'Name:string EndpointID:string MacAddress:string IPv4Address:string IPv6Address:string',
  'volume.Volume': `
    ClusterVolume:*any? CreatedAt:string? Driver:string Labels:map:string Mountpoint:string Name:string
    Options:map:string Scope:string Status:map:any? UsageData:*volume.UsageData?`,
  'volume.UsageData': 'RefCount:int Size:int',
  'events.Message': `
    Status=status:string? ID=id:string? From=from:string? Type:string Action:string Actor:events.Actor Scope=scope:string?
    Time=time:int? TimeNano=timeNano:int?`,
  'events.Actor': 'ID:string Attributes:map:string',
  'system.clientVersion': `
    Platform:*system.PlatformInfo? Version:string? APIVersion=ApiVersion:string? DefaultAPIVersion:string?
    GitCommit:string? GoVersion:string? Os:string? Arch:string? BuildTime:string? Context:string`,
  'system.PlatformInfo': 'Name:string',
  'system.serverVersion': `
    Platform:system.PlatformInfo Components:[]system.ComponentVersion? Version:string APIVersion=ApiVersion:string
    MinAPIVersion:string? GitCommit:string GoVersion:string Os:string Arch:string KernelVersion:string?
    Experimental:bool? BuildTime:string?`,
  'system.ComponentVersion': 'Name:string Version:string Details:map:string?',
  'context.Inspect': `
    Name:string Metadata:context.Metadata Endpoints:map:context.Endpoint TLSMaterial:map:[]string
    Storage:context.Storage`,
  'context.Metadata': 'Description:string?',
  'context.Endpoint': 'Host:string? SkipTLSVerify:bool',
  'context.Storage': 'MetadataPath:string TLSPath:string',
  struct: '',
};
