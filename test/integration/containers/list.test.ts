import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFilters, type Query } from '#client';
import type { ContainerSummary } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { busybox } from '../../helpers/busybox-image.ts';

const engine = useEngine();

async function list(filters: Record<string, string[]>, query: Query = {}): Promise<ContainerSummary[]> {
  return await engine.client.get<ContainerSummary[]>('/containers/json', { ...query, filters: encodeFilters(filters) });
}

const ids = (rows: readonly ContainerSummary[]): string[] => rows.map(({ Id }) => Id);

describe('container list', () => {
  test('shows running ones; all of them when asked', async (t) => {
    const running = await engine.runIdle(t);
    const created = await engine.create(t);
    assert.ok(ids(await list({})).includes(running));
    assert.ok(!ids(await list({})).includes(created));
    assert.ok(ids(await list({}, { all: true })).includes(created));
  });

  test('a row has the fields clients read', async (t) => {
    const id = await engine.runIdle(t, { Labels: { one: '1' } }, 'list-row');
    const row = (await list({ id: [id] }))[0];
    assert.ok(row);
    assert.deepEqual(row.Names, ['/list-row']);
    assert.equal(row.Image, busybox);
    assert.match(row.ImageID, /^sha256:[0-9a-f]{64}$/);
    assert.match(row.Command, /^sh -c 'trap/);
    assert.ok(Math.abs(row.Created - Date.now() / 1000) < 60);
    assert.deepEqual(row.Ports, []);
    assert.deepEqual(row.Labels, { one: '1' });
    assert.equal(row.State, 'running');
    assert.match(row.Status, /^Up (Less than a second|\d+ seconds?)$/);
    assert.match(row.HostConfig.NetworkMode, /^(default|bridge)$/);
    assert.match(row.NetworkSettings.Networks['bridge']?.IPAddress ?? '', /^\d+\.\d+\.\d+\.\d+$/);
    assert.deepEqual(row.Mounts, []);
    assert.equal(row.SizeRw, undefined);
  });

  test('size=1 counts what the container wrote', async (t) => {
    const id = await engine.run(t, 'dd if=/dev/zero of=/big bs=1k count=300 2>/dev/null; sleep 3600');
    const { stdout } = await engine.exec(id, 'while [ "$(wc -c </big)" -lt 307200 ]; do usleep 10000; done; echo ok');
    assert.equal(stdout, 'ok\n');
    const row = (await list({ id: [id] }, { size: true }))[0];
    assert.ok((row?.SizeRw ?? 0) >= 307_200, `SizeRw ${row?.SizeRw}`);
    assert.ok((row?.SizeRootFs ?? 0) >= 307_200 + 1_000_000, `SizeRootFs ${row?.SizeRootFs}`);
  });

  test('filters by id, name, label, status, exited, ancestor, before and since', async (t) => {
    const first = await engine.run(t, 'exit 3', { Labels: { 'list-test': 'a' } }, 'list-first');
    await engine.wait(first);
    const second = await engine.runIdle(t, { Labels: { 'list-test': 'b' } }, 'list-second');
    const third = await engine.create(t, { Labels: { other: '' } }, 'list-third');
    const every: Query = { all: true };
    const scope = ['list-first', 'list-second', 'list-third'];
    const cases: [Record<string, string[]>, string[]][] = [
      [{ id: [first] }, [first]],
      [{ id: [first.slice(0, 12)] }, [first]],
      [{ name: ['list-f'] }, [first]],
      [{ name: ['^/list-second$'] }, [second]],
      [{ name: scope, label: ['list-test'] }, [second, first]],
      [{ name: scope, label: ['list-test=b'] }, [second]],
      [{ name: scope, label: ['list-test=b', 'other'] }, []],
      [{ name: scope, status: ['created', 'exited'] }, [third, first]],
      [{ name: scope, status: ['running'] }, [second]],
      [{ name: scope, exited: ['3'] }, [first]],
      [{ name: scope, ancestor: [busybox] }, [third, second, first]],
      [{ name: scope, ancestor: ['no-such-image'] }, []],
      [{ name: scope, before: ['list-second'] }, [first]],
      [{ name: scope, since: [second] }, [third]],
      [{ name: scope, network: ['bridge'] }, [third, second, first]],
      [{ name: scope, network: ['none'] }, []],
    ];
    for (const [filters, expected] of cases) {
      assert.deepEqual(ids(await list(filters, every)), expected, JSON.stringify(filters));
    }
  });

  test('filters by volume, publish, is-task and health', async (t) => {
    const id = await engine.create(t, { Volumes: { '/vol': {} } }, 'list-volume');
    assert.deepEqual(ids(await list({ name: ['list-volume'], volume: ['/vol'] }, { all: true })), [id]);
    assert.deepEqual(ids(await list({ name: ['list-volume'], volume: ['/nowhere'] }, { all: true })), []);
    assert.deepEqual(ids(await list({ name: ['list-volume'], 'is-task': ['false'] }, { all: true })), [id]);
    assert.deepEqual(ids(await list({ name: ['list-volume'], health: ['none'] }, { all: true })), [id]);
    assert.deepEqual(ids(await list({ name: ['list-volume'], publish: ['80'] }, { all: true })), []);
  });

  test('limit gives the last created, whatever their state', async (t) => {
    const older = await engine.create(t, {}, 'list-older');
    const newer = await engine.create(t, {}, 'list-newer');
    assert.deepEqual(ids(await list({}, { limit: 2 })), [newer, older]);
    assert.deepEqual(ids(await list({}, { limit: 1 })), [newer]);
  });

  test('refuses an unknown filter and a bad value', async () => {
    await refuses(list({ nonsense: ['x'] }), 400, /^[Ii]nvalid filter '?"?nonsense/);
    await refuses(list({ status: ['asleep'] }), [400, 500], /asleep/);
    await refuses(list({ exited: ['many'] }), [400, 500], /many/);
    await refuses(engine.client.get('/containers/json', { filters: '{broken' }), [400, 500], /invalid/i);
  });
});
