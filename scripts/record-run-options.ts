/**
 * Records what Docker's client makes of the command lines in `test/fixtures/run-options/cases.txt`, into
 * `expected.json` beside it: how each create request differs from the plain one, or the error.
 *
 * Usage: record-run-options.ts [DOCKER]
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { differences, readCases, type Expectation } from '../test/helpers/run-option-cases.ts';
import { startRecordingDaemon } from '../test/helpers/recording-daemon.ts';

const docker = process.argv[2] ?? 'docker';
const fixtures = join(import.meta.dirname, '../test/fixtures/run-options');
const scratch = mkdtempSync(join(tmpdir(), 'record-run-options-'));
const socket = join(scratch, 'docker.sock');
const run = promisify(execFile);
const env = {
  PATH: process.env['PATH'],
  DOCKER_HOST: `unix://${socket}`,
  DOCKER_CONFIG: scratch,
  FROM_HOST: 'host value',
  EMPTY_ON_HOST: '',
};

await using daemon = await startRecordingDaemon(socket);
const expected: Record<string, Expectation> = {};
let base: unknown;
for (const { line, args } of [{ line: '', args: [] as string[] }, ...readCases(join(fixtures, 'cases.txt'))]) {
  daemon.requests.length = 0;
  const error = await run(docker, ['create', ...args, 'image'], { env, cwd: fixtures }).then(
    () => undefined,
    (failure: { stderr: string }) => failure.stderr,
  );
  const body = daemon.requests.find(({ url }) => url.includes('/create'))?.body;
  base ??= body;
  if (line === '') continue;
  expected[line] = error === undefined ? { body: differences(base, body) } : { error: error.split('\n\n')[0] ?? '' };
}
rmSync(scratch, { recursive: true });
const text = JSON.stringify({ base, expected }, null, 1).replaceAll(fixtures, '$FIXTURES');
writeFileSync(join(fixtures, 'expected.json'), `${text}\n`);
