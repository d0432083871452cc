import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeImageConfig } from './image-config.ts';

function decode(value: unknown): ReturnType<typeof decodeImageConfig> {
  return decodeImageConfig(Buffer.from(JSON.stringify(value)));
}

test('decodeImageConfig takes nulls for absent and keeps what it does not know in config', () => {
  const config = decode({
    architecture: 'amd64',
    created: null,
    config: { Env: null, Cmd: null, Labels: null, User: 'x', Custom: 1 },
    history: null,
    rootfs: { type: 'layers', diff_ids: null },
  });
  assert.deepEqual(config, {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: null, User: 'x', Custom: 1 },
    rootfs: { type: 'layers', diff_ids: [] },
  });
  assert.deepEqual(decode({ config: null }).config, {});
});

test('decodeImageConfig refuses wrong types, which would reach the runtime', () => {
  const cases: [unknown, RegExp][] = [
    [[], /not a JSON object/],
    [{ config: { Env: ['a', 1] } }, /"Env" .* not a list of strings/],
    [{ config: { User: 0 } }, /"User" .* not a string/],
    [{ config: { Labels: { a: {} } } }, /"Labels" .* not a map of strings/],
    [{ config: { Volumes: [] } }, /"Volumes" .* not a map/],
    [{ rootfs: { diff_ids: ['sha256:../../etc'] } }, /invalid layer/],
    [{ history: [1] }, /"history"/],
  ];
  for (const [value, message] of cases) assert.throws(() => decode(value), { kind: 'invalidArgument', message });
  assert.throws(() => decodeImageConfig(Buffer.from('{')), { kind: 'invalidArgument' });
});
