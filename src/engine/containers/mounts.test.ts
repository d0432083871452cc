import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyHostConfig, type HostConfig } from '#spec';
import { planMounts } from './mounts.ts';

function plan(host: Partial<HostConfig>, volumes: string[] = []): ReturnType<typeof planMounts> {
  return planMounts({
    hostConfig: emptyHostConfig(host),
    volumes,
    newVolumeName: () => 'anon',
    volumePath: (name) => `/volumes/${name}/_data`,
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
  assert.equal(named?.point.Source, '/volumes/data/_data');
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
  assert.throws(() => plan({ Binds: ['we?rd:/b'] }), /includes invalid characters for a local volume name/);
  assert.throws(() => plan({ Mounts: [{ Type: 'bind', Target: '/t' }] }), /field Source must not be empty/);
  assert.throws(() => plan({ Mounts: [{ Type: 'what', Target: '/t' }] }), /mount type unknown: "what"/);
});
