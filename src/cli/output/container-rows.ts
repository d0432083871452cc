import type { ContainerSummary, PortSummary } from '#spec';
import { quote } from '#lib';
import { familiarName } from './familiar-name.ts';
import type { ListRow, ListShape } from './list.ts';
import { ellipsis, joinLabels, shortId } from './text.ts';
import { goTimeText } from './time.ts';
import { humanSince, humanSize } from './units.ts';

export const containerShape: ListShape = {
  typeName: '*formatter.ContainerContext',
  headers: {
    ID: 'CONTAINER ID',
    Names: 'NAMES',
    Image: 'IMAGE',
    Command: 'COMMAND',
    CreatedAt: 'CREATED AT',
    RunningFor: 'CREATED',
    Ports: 'PORTS',
    State: 'STATE',
    Status: 'STATUS',
    Size: 'SIZE',
    Labels: 'LABELS',
    Mounts: 'MOUNTS',
    LocalVolumes: 'LOCAL VOLUMES',
    Networks: 'NETWORKS',
    Platform: 'PLATFORM',
  },
  columns: ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'],
};

const commandWidth = 20;
const mountWidth = 15;

/** A container's row in `ps`. `truncate` is off under `--no-trunc`. */
export function containerRow(container: ContainerSummary, truncate: boolean): ListRow {
  const labels = container.Labels ?? {};
  return {
    columns: {
      ID: () => (truncate ? shortId(container.Id) : container.Id),
      Names: () => containerNames(container.Names ?? [], truncate),
      Image: () => containerImage(container, truncate),
      Command: () => quote(truncate ? ellipsis(container.Command, commandWidth) : container.Command),
      CreatedAt: () => goTimeText(container.Created),
      RunningFor: () => humanSince(container.Created),
      Ports: () => formatPorts(container.Ports ?? []),
      State: () => container.State,
      Status: () => container.Status,
      Size: () => containerSize(container),
      Labels: () => joinLabels(labels),
      Mounts: () =>
        (container.Mounts ?? [])
          .map((mount) => mount.Name || mount.Source)
          .map((name) => (truncate ? ellipsis(name, mountWidth) : name))
          .join(','),
      LocalVolumes: () => String((container.Mounts ?? []).filter((mount) => mount.Driver === 'local').length),
      Networks: () => Object.keys(container.NetworkSettings?.Networks ?? {}).join(','),
      Platform: () => null,
    },
    methods: { Label: (name) => labels[name] ?? '' },
  };
}

function containerNames(names: readonly string[], truncate: boolean): string {
  const plain = names.map((name) => name.replace(/^\//, ''));
  const own = truncate ? plain.find((name) => !name.includes('/')) : undefined;
  return own ?? plain.join(',');
}

function containerImage(container: ContainerSummary, truncate: boolean): string {
  if (container.Image === '') return '<no image>';
  if (!truncate) return container.Image;
  const short = shortId(container.ImageID);
  return short === shortId(container.Image) ? short : familiarName(container.Image);
}

function containerSize(container: ContainerSummary): string {
  const own = humanSize(container.SizeRw ?? 0, 3);
  const virtual = container.SizeRootFs ?? 0;
  return virtual > 0 ? `${own} (virtual ${humanSize(virtual, 3)})` : own;
}

function joinHostPort(host: string, port: string): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function comparePorts(a: PortSummary, b: PortSummary): number {
  const byText = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
  return (
    a.PrivatePort - b.PrivatePort ||
    byText(a.IP ?? '', b.IP ?? '') ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    byText(a.Type, b.Type)
  );
}

/** Ports as `ps` shows them, runs of ports drawn together: `0.0.0.0:80-81->80-81/tcp, 53/udp`. */
export function formatPorts(ports: readonly PortSummary[]): string {
  const groups = new Map<string, { ip: string; type: string; first: number; last: number }>();
  const closed: string[] = [];
  const moved: string[] = [];
  for (const { IP: ip = '', PrivatePort: inside, PublicPort: outside = 0, Type: type } of ports.toSorted(
    comparePorts,
  )) {
    if (ip !== '' && outside !== inside) {
      moved.push(`${joinHostPort(ip, String(outside))}->${inside}/${type}`);
      continue;
    }
    const key = `${ip}/${type}`;
    const group = groups.get(key);
    if (group && inside === group.last + 1) {
      group.last = inside;
      continue;
    }
    if (group) closed.push(formatGroup(group));
    groups.set(key, { ip, type, first: inside, last: inside });
  }
  return [...closed, ...[...groups.values()].map(formatGroup), ...moved].join(', ');
}

function formatGroup({ ip, type, first, last }: { ip: string; type: string; first: number; last: number }): string {
  const range = first === last ? String(first) : `${first}-${last}`;
  return ip === '' ? `${range}/${type}` : `${joinHostPort(ip, range)}->${range}/${type}`;
}
