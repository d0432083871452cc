import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

interface JsonLine {
  log: string;
  stream: string;
  attrs?: Record<string, string>;
  time: string;
}

/** The json-file and its rotated siblings, oldest first. */
function logFiles(path: string): string[] {
  const number = (name: string): number => Number(name.slice(basename(path).length + 1).replace(/\.gz$/, ''));
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(basename(path)))
    .toSorted((a, b) => number(b) - number(a))
    .map((name) => join(dirname(path), name));
}

function textOf(path: string): string {
  const bytes = readFileSync(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}

function linesOf(text: string): JsonLine[] {
  assert.ok(text === '' || text.endsWith('\n'), 'whole lines');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line): JsonLine => JSON.parse(line));
}

async function logPath(id: string): Promise<string> {
  return (await engine.inspect(id)).LogPath;
}

async function logLines(id: string): Promise<JsonLine[]> {
  return linesOf(
    logFiles(await logPath(id))
      .map(textOf)
      .join(''),
  );
}

/** Until the file says what the container printed. */
async function untilLogged(id: string, last: string): Promise<JsonLine[]> {
  return await until(
    async () => {
      const lines = await logLines(id);
      return lines.at(-1)?.log === last && lines;
    },
    { what: `${JSON.stringify(last)} in the json-file`, timeoutMs: 30_000 },
  );
}

describe('the json-file', { concurrency: 4 }, () => {
  test('has Docker’s lines at the path that inspect tells', async (t) => {
    const id = await engine.run(t, 'echo one; echo two >&2; printf "q\\"\\t<\\377>\\n"; printf "no end"');
    await engine.wait(id);
    const lines = await untilLogged(id, 'no end');
    const path = await logPath(id);
    assert.equal(basename(path), `${id}-json.log`);
    const known = lines.map(({ stream, log }) => `${stream} ${log}`).toSorted();
    assert.deepEqual(known, ['stderr two\n', 'stdout no end', 'stdout one\n', 'stdout q"\t<\ufffd>\n']);
    const first = textOf(path)
      .split('\n')
      .find((line) => line.includes('one'));
    assert.match(
      first ?? '',
      /^\{"log":"one\\n","stream":"stdout","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z"\}$/,
    );
  });

  test('long lines come in pieces of 16 KiB', async (t) => {
    const id = await engine.run(t, 'head -c 40000 /dev/zero | tr "\\0" x; echo; printf part; usleep 50000; echo ial');
    await engine.wait(id);
    const lines = await untilLogged(id, 'partial\n');
    assert.deepEqual(
      lines.map(({ log }) => log.length),
      [16384, 16384, 7233, 8],
    );
    assert.equal(lines[0]?.time, lines[2]?.time);
  });

  test('is written while the container runs, and goes on in the next run', async (t) => {
    const id = await engine.run(t, 'test -e /again && exit; touch /again; echo first; sleep 3600');
    await untilLogged(id, 'first\n');
    await engine.client.post(`/containers/${id}/kill`);
    await engine.start(id);
    await engine.wait(id);
    assert.deepEqual(
      (await logLines(id)).map(({ log }) => log),
      ['first\n'],
    );
  });

  test('labels, variables and tag are attached', async (t) => {
    const Config = { labels: 'a', 'labels-regex': '^x', env: 'E,F', tag: '{{.Name}}/{{.ID}}' };
    const name = `json-log-${process.pid}`;
    const id = await engine.create(
      t,
      {
        Cmd: ['echo', 'hello'],
        Labels: { a: '1', b: '2', xy: '3' },
        Env: ['E=4', 'G=5'],
        HostConfig: { LogConfig: { Type: 'json-file', Config } },
      },
      name,
    );
    assert.equal(await logPath(id), '');
    await engine.start(id);
    await engine.wait(id);
    const [line] = await untilLogged(id, 'hello\n');
    assert.deepEqual(line?.attrs, { E: '4', a: '1', tag: `${name}/${id.slice(0, 12)}`, xy: '3' });
    const { stdout } = await engine.logs(id, { details: true });
    assert.equal(stdout, `E=4,a=1,tag=${name}%2F${id.slice(0, 12)},xy=3 hello\n`);
  });

  for (const compress of ['false', 'true']) {
    test(`rotates, compress=${compress}`, async (t) => {
      const Config = { 'max-size': '10k', 'max-file': '3', compress };
      const script =
        'n=0; while [ $n -lt 1000 ]; do n=$((n+1)); echo "line $n"; test $((n % 100)) = 0 && usleep 100000; done';
      const id = await engine.run(t, script, { HostConfig: { LogConfig: { Type: 'json-file', Config } } });
      await engine.wait(id);
      const wanted = compress === 'true' ? ['.2.gz', '.1.gz', ''] : ['.2', '.1', ''];
      const path = await logPath(id);
      const endings = (): string[] => logFiles(path).map((file) => file.slice(path.length));
      await until(() => endings().join() === wanted.join(), { what: `the files ${wanted.join(' ')}` });
      const lines = await untilLogged(id, 'line 1000\n');
      const first = 1001 - lines.length;
      assert.ok(lines.length > 200 && lines.length < 600, `${lines.length} lines kept`);
      lines.forEach(({ log }, index) => assert.equal(log, `line ${first + index}\n`));
    });
  }

  test('there is none with other drivers', async (t) => {
    for (const Type of ['local', 'none']) {
      const id = await engine.run(t, 'echo x', { HostConfig: { LogConfig: { Type, Config: {} } } });
      await engine.wait(id);
      assert.equal(await logPath(id), '');
    }
  });

  test('options that are none are refused', async (t) => {
    const create = (Type: string, Config: Record<string, string>): Promise<string> =>
      engine.create(t, { HostConfig: { LogConfig: { Type, Config } } });
    await refuses(create('json-file', { foo: '1' }), 400, /^unknown log opt 'foo' for json-file log driver$/);
    await refuses(create('local', { tag: 'x' }), 400, /^unknown log opt 'tag' for log driver local$/);
    await refuses(create('json-file', { mode: 'odd' }), 400, /^logger: logging mode not supported: odd$/);
    await refuses(create('json-file', { 'max-buffer-size': '1m' }), 400, /only supported with 'mode=non-blocking'$/);
  });
});

describe("the daemon's death", { ...berthOnly, concurrency: false }, () => {
  const flood = (lines: number): string =>
    `n=0; while [ $n -lt ${lines} ]; do n=$((n+1)); echo "line $n"; test $((n % 500)) = 0 && usleep 20000; done; printf end`;
  const assertWhole = (lines: readonly JsonLine[], count: number): void => {
    lines.forEach(({ log }, index) => assert.equal(log, index === count ? 'end' : `line ${index + 1}\n`));
    assert.equal(lines.length, count + 1);
  };

  test('kill -9, again and again, neither doubles nor drops a line', async (t) => {
    const Config = { 'max-size': '1m', 'max-file': '100' };
    const script =
      'n=0; while ! test -e /stop; do n=$((n+1)); echo "line $n"; test $((n % 500)) = 0 && usleep 100000; done; printf end';
    const id = await engine.run(t, script, { HostConfig: { LogConfig: { Type: 'json-file', Config } } });
    const path = join(engine.daemon.dataRoot, 'containers', id, `${id}-json.log`);
    const size = (): number => logFiles(path).reduce((sum, file) => sum + statSync(file).size, 0);
    for (let round = 0; round < 4; round++) {
      const before = size();
      await until(() => size() > before, { what: 'more lines in the json-file' });
      await engine.daemon.kill9();
      await engine.daemon.launch();
    }
    await engine.exec(id, 'touch /stop');
    await engine.wait(id);
    const lines = await untilLogged(id, 'end');
    assert.ok(lines.length > 1000, `${lines.length} lines`);
    assertWhole(lines, lines.length - 1);
  });

  test('what was printed and ended without a daemon is there afterwards', async (t) => {
    const id = await engine.run(t, 'echo before; while ! test -e /go; do usleep 10000; done; echo after; printf end');
    await untilLogged(id, 'before\n');
    const { Pid } = (await engine.inspect(id)).State;
    await engine.exec(id, '(usleep 500000; touch /go) >/dev/null 2>&1 &');
    await engine.daemon.kill9();
    await until(() => !existsSync(`/proc/${Pid}`), { what: 'the end of the container' });
    await engine.daemon.launch();
    const lines = await untilLogged(id, 'end');
    assert.deepEqual(
      lines.map(({ log }) => log),
      ['before\n', 'after\n', 'end'],
    );
  });

  for (const point of ['json-log-appended', 'json-log-rotating', 'json-log-shifted']) {
    test(`a death at ${point} doubles and drops nothing`, async (t) => {
      const Config = { 'max-size': '20k', 'max-file': '100' };
      const HostConfig = { LogConfig: { Type: 'json-file', Config } };
      const id = await engine.create(t, { Cmd: ['sh', '-c', flood(3000)], HostConfig });
      await engine.daemon.terminate();
      await engine.daemon.launch({ BERTH_FAILPOINTS: point });
      await engine.start(id).catch(() => undefined);
      await engine.daemon.exited();
      await engine.daemon.launch();
      if ((await engine.status(id)) === 'created') await engine.start(id);
      await engine.wait(id);
      assertWhole(await untilLogged(id, 'end'), 3000);
    });
  }
});
