import type { CreateBody } from './engine.ts';

/** Containers whose inspect answer is compared with a recorded dockerd's, field by field. */
export const inspectSubjects: readonly { name: string; body: CreateBody; start: boolean }[] = [
  { name: 'created', body: { Cmd: ['true'] }, start: false },
  {
    name: 'running',
    body: {
      Cmd: ['sleep', '3600'],
      Env: ['A=1'],
      Labels: { one: '1' },
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGKILL',
      StopTimeout: 1,
      HostConfig: {
        Binds: ['/tmp:/host'],
        CapAdd: ['NET_ADMIN'],
        CapDrop: ['MKNOD'],
        Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/nil', CgroupPermissions: 'rwm' }],
        Dns: ['192.0.2.1'],
        ExtraHosts: ['a:192.0.2.2'],
        GroupAdd: ['audio'],
        Memory: 67_108_864,
        RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
        SecurityOpt: ['no-new-privileges'],
        Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
        Tmpfs: { '/scratch': 'size=1m' },
        Ulimits: [{ Name: 'nofile', Soft: 64, Hard: 64 }],
        Init: true,
      },
    },
    start: true,
  },
  { name: 'host-network', body: { Cmd: ['sleep', '3600'], HostConfig: { NetworkMode: 'host' } }, start: true },
  { name: 'no-network', body: { Cmd: ['sleep', '3600'], HostConfig: { NetworkMode: 'none' } }, start: true },
];
