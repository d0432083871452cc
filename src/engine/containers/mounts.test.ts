import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyHostConfig, type HostConfig } from '#spec';
import { type MountPlanInput, planMounts } from './mounts.ts';
import type { PlannedMount } from './record.ts';

function plan(
  host: Partial<HostConfig>,
  volumes: string[] = [],
  inherited: MountPlanInput['inherited'] = [],
): PlannedMount[] {
  return planMounts({
    hostConfig: emptyHostConfig(host),
    volumes,
    newVolumeName: () => 'anon',
    inherited,
  });
}

test('planMounts reads the forms of -v', () => {
  const [bind, named, anonymous] = plan({ Binds: ['/host//dir:/in/:ro,rslave', 'data:/data:nocopy', '/scratch'] });
  assert.deepEqual(bind?.point, {
    Type: 'bind',
    Source: '/host/dir',
    Destination: '/in',
    Mode: 'ro,rslave',
    RW: false,
    Propagation: 'rslave',
  });
  assert.equal(bind?.createSource, true);
  assert.equal(named?.point.Name, 'data');
  assert.equal(named?.copyUp, false);
  assert.equal(anonymous?.point.Name, 'anon');
});

test('planMounts makes anonymous volumes only where nothing else is mounted', () => {
  const planned = plan({ Binds: ['/x:/data'], Tmpfs: { '/cache': '' } }, ['/data', '/cache', '/more']);
  assert.deepEqual(
    planned.map(({ point }) => [point.Type, point.Destination]),
    [
      ['bind', '/data'],
      ['volume', '/more'],
    ],
  );
});

test("planMounts refuses bad specifications with Docker's texts", () => {
  assert.throws(() => plan({ Binds: ['/a:/b:rw:x'] }), /invalid volume specification: '\/a:\/b:rw:x'/);
  assert.throws(() => plan({ Binds: ['/a:b'] }), /mount path must be absolute/);
  assert.throws(() => plan({ Binds: ['/a:/'] }), /destination can't be '\/'/);
  assert.throws(() => plan({ Binds: ['/a:/b:wrong'] }), /invalid mode: wrong/);
  assert.throws(() => plan({ Binds: ['/a:/b', '/c:/b'] }), /Duplicate mount point: \/b/);
  assert.throws(() => plan({ Mounts: [{ Type: 'bind', Target: '/t' }] }), /field Source must not be empty/);
  assert.throws(
    () => plan({ Mounts: [{ Type: 'what', Target: '/t' }] }),
    /invalid mount config for type "what": mount type unknown/,
  );
});

test('planMounts refuses words of -v that do not belong together', () => {
  const refused: [string, RegExp][] = [
    ['/tmp:ro', /^invalid volume specification: '\/tmp:ro'$/],
    ['/tmp:/x:z,Z', /^invalid mode: z,Z$/],
    ['/tmp:/x:bind', /^invalid mode: bind$/],
    [
      '/tmp:/x:nocopy',
      /'\/tmp:\/x:nocopy': invalid mount config for type "bind": field VolumeOptions must not be specified$/,
    ],
    [
      'vol:/x:rshared',
      /'vol:\/x:rshared': invalid mount config for type "volume": field BindOptions must not be specified$/,
    ],
  ];
  for (const [spec, message] of refused) assert.throws(() => plan({ Binds: [spec] }), { message });
});

test('planMounts takes the mounts of other containers, which its own go over', () => {
  const theirs = plan({ Binds: ['/host:/bind', 'data:/data:nocopy', '/ro:/ro:ro'] });
  const own = plan({ Binds: ['/mine:/bind'] }, ['/data'], [{ mounts: theirs, readOnly: true }]);
  assert.deepEqual(
    own.map(({ point, copyUp }) => [point.Source || point.Name, point.Destination, point.Mode, point.RW, copyUp]),
    [
      ['/mine', '/bind', '', true, false],
      ['data', '/data', '', false, false],
      ['/ro', '/ro', '', false, false],
    ],
  );
});

test('planMounts takes parts of volumes and images that stay inside', () => {
  const volume = (Subpath: string, Source = 'v'): PlannedMount[] =>
    plan({ Mounts: [{ Type: 'volume', Source, Target: '/x', VolumeOptions: { Subpath } }] });
  assert.equal(volume('a/../b')[0]?.subpath, 'a/../b');
  assert.throws(() => volume('../b'), /subpath must be a relative path within the volume/);
  assert.throws(() => volume('/b'), /subpath must be a relative path within the volume/);
  assert.throws(() => volume('b', ''), /must not set Subpath when using anonymous volumes/);
  const [image] = plan({
    Mounts: [{ Type: 'image', Source: 'busybox', Target: '/x', ImageOptions: { Subpath: 'etc' } }],
  });
  assert.equal(image?.subpath, 'etc');
  assert.equal(image.point.RW, false);
});
