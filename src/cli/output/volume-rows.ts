import type { VolumeInspect } from '#spec';
import type { ListRow, ListShape } from './list.ts';
import { joinLabels } from './text.ts';
import { humanSize } from './units.ts';

export const volumeShape: ListShape = {
  typeName: '*formatter.volumeContext',
  headers: {
    ID: 'ID',
    Name: 'VOLUME NAME',
    Group: 'GROUP',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    Availability: 'AVAILABILITY',
    Mountpoint: 'MOUNTPOINT',
    Labels: 'LABELS',
    Links: 'LINKS',
    Size: 'SIZE',
    Status: 'STATUS',
  },
  columns: ['Driver', 'Name'],
};

const unknown = (): string => 'N/A';

export function volumeRow(volume: VolumeInspect): ListRow {
  const usage = volume.UsageData;
  return {
    columns: {
      Name: () => volume.Name,
      Driver: () => volume.Driver,
      Scope: () => volume.Scope,
      Mountpoint: () => volume.Mountpoint,
      Labels: () => joinLabels(volume.Labels),
      Links: () => (usage ? String(usage.RefCount) : 'N/A'),
      Size: () => (usage ? humanSize(usage.Size) : 'N/A'),
      Group: unknown,
      Availability: unknown,
      Status: unknown,
    },
    methods: { Label: (name) => volume.Labels?.[name] ?? '' },
  };
}
