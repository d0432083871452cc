import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPlatform, hostPlatform, matchesPlatform, parsePlatform } from './platforms.ts';

test('parsePlatform normalises the spellings in use', () => {
  const cases = [
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/ARM64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/v6', 'linux/arm/v6'],
    ['armel', 'linux/arm/v6'],
    ['linux', formatPlatform(hostPlatform())],
    ['windows/amd64', 'windows/amd64'],
  ];
  for (const [text = '', expected] of cases) assert.equal(formatPlatform(parsePlatform(text)), expected);
});

test('parsePlatform refuses what is none', () => {
  for (const text of ['', 'linux/', 'a/b/c/d', 'linux/am d64']) {
    assert.throws(() => parsePlatform(text), { kind: 'invalidArgument' });
  }
});

test('matchesPlatform compares normalised forms', () => {
  assert.ok(
    matchesPlatform({ os: 'linux', architecture: 'arm64' }, { os: 'linux', architecture: 'aarch64', variant: 'v8' }),
  );
  assert.ok(
    !matchesPlatform({ os: 'linux', architecture: 'arm', variant: 'v6' }, { os: 'linux', architecture: 'arm' }),
  );
});
