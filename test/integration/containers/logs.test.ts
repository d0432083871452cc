import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { demultiplex } from '#client';
import { collect, refuses, useEngine } from '../../helpers/engine.ts';
import { isBerth } from '../../helpers/target.ts';
import { until, within } from '../../helpers/until.ts';

const engine = useEngine();

describe('logs', { concurrency: 4 }, () => {
  test('keep both streams, while it runs and after', async (t) => {
    const id = await engine.run(t, 'echo out; echo err >&2; read line; echo done', { OpenStdin: true });
    await until(async () => (await engine.logs(id)).stderr !== '', { what: 'the first lines' });
    assert.deepEqual(await engine.logs(id), { stdout: 'out\n', stderr: 'err\n' });
    const stdin = await engine.attach(id, { stream: true, stdin: true });
    await stdin.write('\n');
    await engine.wait(id);
    stdin.destroy();
    assert.deepEqual(await engine.logs(id), { stdout: 'out\ndone\n', stderr: 'err\n' });
    assert.deepEqual(await engine.logs(id, { stdout: false }), { stdout: '', stderr: 'err\n' });
    assert.deepEqual(await engine.logs(id, { stderr: false }), { stdout: 'out\ndone\n', stderr: '' });
  });

  test('refuse to show neither stream', async (t) => {
    const id = await engine.create(t);
    await refuses(
      engine.logs(id, { stdout: false, stderr: false }),
      400,
      /^Bad parameters: you must choose at least one stream$/i,
    );
  });

  test('of a container that never ran are empty', async (t) => {
    const id = await engine.create(t);
    assert.deepEqual(await engine.logs(id), { stdout: '', stderr: '' });
    assert.deepEqual(await within(engine.logs(id, { follow: false, tail: '0' }), 'the logs'), {
      stdout: '',
      stderr: '',
    });
  });

  test('tail counts lines of both streams together; 0 is none, all is all', async (t) => {
    const id = await engine.run(t, 'for n in 1 2 3 4 5; do echo $n; done');
    await engine.wait(id);
    assert.equal((await engine.logs(id, { tail: '2' })).stdout, '4\n5\n');
    assert.equal((await engine.logs(id, { tail: '0' })).stdout, '');
    assert.equal((await engine.logs(id, { tail: '99' })).stdout, '1\n2\n3\n4\n5\n');
    assert.equal((await engine.logs(id, { tail: 'all' })).stdout, '1\n2\n3\n4\n5\n');
    assert.equal((await engine.logs(id, { tail: 'some' })).stdout, '1\n2\n3\n4\n5\n');
  });

  test('timestamps stand before each line; since and until cut by them, with fractions', async (t) => {
    const id = await engine.run(t, 'for n in 1 2 3 4; do echo $n; usleep 60000; done');
    await engine.wait(id);
    const lines = (await engine.logs(id, { timestamps: true })).stdout.trimEnd().split('\n');
    assert.equal(lines.length, 4);
    for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \d$/);
    const times = lines.map((line) => line.slice(0, 30));
    const third = times[2] ?? '';
    const seconds = `${Math.floor(Date.parse(third) / 1000)}.${third.slice(20, 29)}`;
    assert.equal((await engine.logs(id, { since: seconds })).stdout, '3\n4\n');
    assert.equal((await engine.logs(id, { until: seconds })).stdout, '1\n2\n3\n');
    assert.equal((await engine.logs(id, { since: seconds, tail: '1' })).stdout, '4\n');
    assert.equal((await engine.logs(id, { since: String(Math.floor(Date.now() / 1000) + 100) })).stdout, '');
  });

  test('follow gives what comes, and ends with the container', async (t) => {
    const id = await engine.run(t, 'echo first; read line; echo second; echo third >&2', { OpenStdin: true });
    const response = await engine.client.send({
      method: 'GET',
      path: `/containers/${id}/logs`,
      query: { stdout: true, stderr: true, follow: true },
    });
    const output = within(collect(response), 'the end of the log');
    const stdin = await engine.attach(id, { stream: true, stdin: true });
    await stdin.write('\n');
    assert.deepEqual(await output, { stdout: 'first\nsecond\n', stderr: 'third\n' });
    stdin.destroy();
  });

  test('follow on an exited container ends', async (t) => {
    const id = await engine.run(t, 'echo all');
    await engine.wait(id);
    assert.equal((await within(engine.logs(id, { follow: true }), 'the end of the log')).stdout, 'all\n');
    assert.equal((await within(engine.logs(id, { follow: true, tail: '0' }), 'the end of the log')).stdout, '');
  });

  test('follow loses and doubles nothing between the written and the coming', async (t) => {
    const count = 3_000;
    const id = await engine.run(t, `n=0; while [ $n -lt ${count} ]; do n=$((n+1)); echo $n; done`);
    const followers = await Promise.all(Array.from({ length: 4 }, async () => await engine.logs(id, { follow: true })));
    for (const { stdout } of followers) {
      const got = stdout.trimEnd().split('\n').map(Number);
      assert.equal(got.length, count);
      assert.ok(got.every((value, index) => value === index + 1));
    }
  });

  test('long lines, missing line breaks and any byte come through whole', async (t) => {
    const id = await engine.run(t, 'head -c 100000 /dev/zero | tr "\\0" x; echo; printf "a\\377b\\r\\nend"');
    await engine.wait(id);
    const response = await engine.client.send({
      method: 'GET',
      path: `/containers/${id}/logs`,
      query: { stdout: true },
    });
    const chunks: Uint8Array[] = [];
    for await (const { bytes } of demultiplex(response)) chunks.push(bytes);
    // json-file, dockerd's log format, cannot hold what is no UTF-8.
    const odd = isBerth ? Buffer.from([0xff]) : Buffer.from('\ufffd');
    const expected = Buffer.concat([Buffer.alloc(100_000, 'x'), Buffer.from('\na'), odd, Buffer.from('b\r\nend')]);
    assert.ok(Buffer.concat(chunks).equals(expected), `${Buffer.concat(chunks).length} bytes`);
  });

  test("a terminal's log is raw", async (t) => {
    const id = await engine.run(t, 'echo one; echo two >&2', { Tty: true });
    await engine.wait(id);
    assert.equal((await engine.logs(id, {}, true)).stdout, 'one\r\ntwo\r\n');
  });
});
