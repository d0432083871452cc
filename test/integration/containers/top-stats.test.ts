import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jsonLines } from '#client';
import type { TopResponse } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

interface Stats {
  read: string;
  preread: string;
  name: string;
  id: string;
  num_procs: number;
  pids_stats: { current?: number };
  cpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage: number; online_cpus: number };
  precpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage?: number };
  memory_stats: { usage: number; limit: number; stats: Record<string, number> };
  blkio_stats: Record<string, unknown>;
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>;
}

describe('top', { concurrency: 4 }, () => {
  test('lists the processes as ps on the host sees them', async (t) => {
    const id = await engine.run(t, 'sleep 1234');
    const { Titles, Processes } = await until(
      async () => {
        const top = await engine.client.get<TopResponse>(`/containers/${id}/top`);
        return top.Processes.some((row) => row.at(-1) === 'sleep 1234') ? top : undefined;
      },
      { what: 'the sleep' },
    );
    assert.deepEqual(Titles, ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
    assert.ok(Processes.every((row) => row.length === Titles.length));
    const { Pid } = (await engine.inspect(id)).State;
    assert.ok(Processes.some((row) => row[1] === String(Pid)));
  });

  test('takes arguments of ps', async (t) => {
    const id = await engine.run(t, 'sleep 1234');
    const { Titles, Processes } = await engine.client.get<TopResponse>(`/containers/${id}/top`, {
      ps_args: '-o pid,comm',
    });
    assert.deepEqual(Titles, ['PID', 'COMMAND']);
    assert.ok(Processes.length > 0);
    await refuses(
      engine.client.get(`/containers/${id}/top`, { ps_args: '-o comm' }),
      [500, 400],
      /Couldn't find PID field in ps output/i,
    );
  });

  test('refuses a container that does not run', async (t) => {
    const id = await engine.create(t);
    await refuses(engine.client.get(`/containers/${id}/top`), 409, new RegExp(`^Container ${id} is not running$`, 'i'));
  });
});

describe('stats', { concurrency: 4 }, () => {
  test('one sample has use and limits of everything', async (t) => {
    const id = await engine.run(t, 'while :; do :; done', { HostConfig: { Memory: 128 * 1024 * 1024 } }, 'stats-one');
    const stats = await engine.client.get<Stats>(`/containers/${id}/stats`, { stream: false });
    assert.equal(stats.id, id);
    assert.equal(stats.name, '/stats-one');
    assert.ok(stats.cpu_stats.cpu_usage.total_usage > stats.precpu_stats.cpu_usage.total_usage);
    assert.ok(stats.precpu_stats.cpu_usage.total_usage > 0);
    assert.ok(stats.cpu_stats.system_cpu_usage > (stats.precpu_stats.system_cpu_usage ?? 0));
    assert.ok(stats.cpu_stats.online_cpus >= 1);
    assert.ok(stats.memory_stats.usage > 0);
    assert.equal(stats.memory_stats.limit, 128 * 1024 * 1024);
    assert.ok((stats.pids_stats.current ?? 0) >= 1);
    assert.ok(stats.networks?.['eth0']);
    assert.ok(Date.parse(stats.read) > Date.parse(stats.preread));
  });

  test('one-shot does not wait for a second sample', async (t) => {
    const id = await engine.runIdle(t);
    const stats = await engine.client.get<Stats>(`/containers/${id}/stats`, { stream: false, 'one-shot': true });
    assert.equal(stats.preread, '0001-01-01T00:00:00Z');
    assert.equal(stats.precpu_stats.cpu_usage.total_usage, 0);
  });

  test('stream gives one sample after the other, and the client may go', async (t) => {
    const id = await engine.runIdle(t);
    const response = await engine.client.send({
      method: 'GET',
      path: `/containers/${id}/stats`,
      query: { stream: true },
    });
    const reads: string[] = [];
    for await (const { read } of jsonLines<Stats>(response)) {
      reads.push(read);
      if (reads.length === 2) break;
    }
    assert.ok((reads[1] ?? '') > (reads[0] ?? ''));
  });

  test('a stopped container has empty stats', async (t) => {
    const id = await engine.create(t);
    const stats = await engine.client.get<Stats>(`/containers/${id}/stats`, { stream: false });
    assert.equal(stats.id, id);
    assert.equal(stats.cpu_stats.cpu_usage.total_usage, 0);
  });
});
