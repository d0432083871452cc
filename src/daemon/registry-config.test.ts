import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toRegistryConfig, type GivenValues, type RegistryConfig } from './registry-config.ts';

function configOf(
  texts: Readonly<Record<string, string>>,
  lists: Readonly<Record<string, string[]>> = {},
  env: Readonly<Record<string, string>> = {},
): RegistryConfig {
  const given: GivenValues = { text: (name, fallback) => texts[name] ?? fallback, list: (name) => lists[name] ?? [] };
  return toRegistryConfig(given, env);
}

test('proxies come from the configuration, else from the environment', () => {
  const env = { HTTP_PROXY: 'http://env.example.com', https_proxy: 'http://lower.example.com', NO_PROXY: 'a,b' };
  assert.deepEqual(configOf({ 'http-proxy': 'http://own.example.com' }, {}, env).proxies, {
    http: 'http://own.example.com',
    https: 'http://lower.example.com',
    none: 'a,b',
  });
  assert.deepEqual(configOf({}).proxies, {});
});

test("Docker's mirrors are for Docker Hub, ours for any registry; malformed ones are refused", () => {
  const lists = {
    'registry-mirror': ['https://hub-mirror.example.com/'],
    mirror: ['registry.example.com=http://a.example.com', 'registry.example.com=http://b.example.com'],
  };
  assert.deepEqual(configOf({}, lists).mirrors, {
    'docker.io': ['https://hub-mirror.example.com'],
    'registry.example.com': ['http://a.example.com', 'http://b.example.com'],
  });
  for (const bad of ['no url', 'ftp://a.example.com', 'https://a.example.com/?q']) {
    assert.throws(() => configOf({}, { 'registry-mirror': [bad] }), /^EngineError: invalid mirror: /);
  }
  assert.throws(() => configOf({}, { mirror: ['https://a.example.com'] }), /host=URL is expected/);
});

test('limits have the defaults of dockerd and are at least one', () => {
  const { maxConcurrentDownloads, maxConcurrentUploads, downloadAttempts } = configOf({});
  assert.deepEqual([maxConcurrentDownloads, maxConcurrentUploads, downloadAttempts], [3, 5, 5]);
  assert.throws(() => configOf({ 'max-concurrent-downloads': '0' }), /invalid max concurrent downloads: 0/);
  assert.throws(() => configOf({ 'max-download-attempts': 'many' }), /invalid max download attempts: many/);
});
