import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { StdcopyDecoder } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until, within } from '../../helpers/until.ts';

const engine = useEngine();

/** A connection of our own, so that what is sent together arrives together. */
function dial(): Socket {
  return connect({ path: engine.host.replace('unix://', ''), allowHalfOpen: true });
}

/** Everything the engine sends until it ends, behind the answer's head. */
async function answerOf(socket: Socket): Promise<{ head: string; stdout: string; stderr: string }> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await within(once(socket, 'end'), 'the end of the answer', 60_000);
  socket.destroy();
  const all = Buffer.concat(chunks);
  const split = all.indexOf('\r\n\r\n') + 4;
  const texts = { stdout: '', stderr: '' };
  for (const { stream, data } of new StdcopyDecoder().decode(all.subarray(split))) {
    if (stream === 'stdout' || stream === 'stderr') texts[stream] += data.toString();
  }
  return { head: all.toString('latin1', 0, split), ...texts };
}

function post(path: string, headers: string, rest: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: d\r\n${headers}\r\n${rest}`;
}

const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';

describe('hijacked connections', () => {
  test('input that comes together with the head is input, even when it looks like a request', async (t) => {
    const id = await engine.create(t, { Cmd: ['cat'], OpenStdin: true, StdinOnce: true });
    await engine.start(id);
    const typed = 'GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n';
    const socket = dial();
    socket.end(post(`/containers/${id}/attach?stream=1&stdin=1&stdout=1`, '', typed));
    const { head, stdout } = await answerOf(socket);
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(stdout, typed);
  });

  test('exec takes its body by length or in chunks, and what follows as input', async (t) => {
    const id = await engine.runIdle(t);
    const json = '{"Detach":false,"Tty":false}';
    const bodies = [
      `Content-Length: ${json.length}\r\n\r\n${json}`,
      `Transfer-Encoding: chunked\r\n\r\n${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`,
    ];
    for (const body of bodies) {
      const exec = await engine.createExec(id, {
        Cmd: ['sh', '-c', 'cat; echo done >&2'],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
      });
      const socket = dial();
      const headers = `${upgrade}Content-Type: application/json\r\n${body}typed`;
      socket.end(`POST /exec/${exec}/start HTTP/1.1\r\nHost: d\r\n${headers}`);
      const { head, stdout, stderr } = await answerOf(socket);
      assert.match(head, /^HTTP\/1\.1 101 UPGRADED\r\n/);
      assert.deepEqual([stdout, stderr], ['typed', 'done\n']);
    }
  });

  test('a client that stops reading for a while gets all of 64 MB', async (t) => {
    const size = 64 * 1024 * 1024;
    const id = await engine.create(t, { Cmd: ['sh', '-c', `head -c ${size} /dev/zero | tr '\\0' x`] });
    const socket = dial();
    socket.write(post(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`, upgrade, ''));
    await once(socket, 'readable');
    await engine.start(id);
    // The process is held back meanwhile: it cannot end before we read.
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(await engine.status(id), 'running');
    const { stdout } = await answerOf(socket);
    assert.equal(stdout.length, size);
  });

  test('a thousand attaches and execs that fail leave nothing behind', berthOnly, async (t) => {
    const id = await engine.create(t, { Cmd: ['true'] });
    const fds = (): number => readdirSync(`/proc/${engine.daemon.pid}/fd`).length;
    const residentKiB = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.daemon.pid}/status`, 'utf8'))?.[1]);
    const round = async (): Promise<void> => {
      const socket = dial();
      socket.end(post('/containers/nosuch/attach?stream=1&stdin=1', upgrade, ''));
      await once(socket.resume(), 'end');
      socket.destroy();
      await refuses(engine.createExec(id, { Cmd: ['x'] }), 409, /is not running$/);
      await refuses(engine.startExec('nosuch'), 404, /No such exec instance/);
      await refuses(engine.client.post(`/containers/${id}/resize`, { h: 10, w: 10 }), [409, 500], /is not running/);
    };
    for (let count = 0; count < 250; count++) await round();
    const before = { fds: fds(), rss: residentKiB() };
    for (let count = 0; count < 1000; count++) await round();
    await until(() => fds() <= before.fds + 5, { what: `at most ${before.fds + 5} descriptors, not ${fds()}` });
    const grownKiB = residentKiB() - before.rss;
    assert.ok(grownKiB < 40_000, `memory grew by ${grownKiB} KiB`);
  });
});
