import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { matchesGlob } from './globs.ts';
import { configKeys, readConfig } from './read-config.ts';

test('matchesGlob: one star stops at slashes, two do not, the rest is literal', () => {
  const cases: [string, string, boolean][] = [
    ['team/*', 'team/app', true],
    ['team/*', 'team/app/part', false],
    ['team/**', 'team/app/part', true],
    ['**', 'a', true],
    ['a.b', 'axb', false],
    ['*/app', 'team/app', true],
    ['app', 'team/app', false],
  ];
  for (const [pattern, name, expected] of cases)
    assert.equal(matchesGlob(pattern, name), expected, `${pattern} ${name}`);
});

test('readConfig: flags win over the environment, nested keys get the right types', () => {
  const config = readConfig({
    environment: {
      BERTH_REGISTRY_LISTEN: ':1',
      BERTH_REGISTRY_UPLOADS_MAXOPEN: '7',
      BERTH_REGISTRY_ACCESSLOG: 'false',
      OTHER: 'x',
    },
    flags: { listen: ':2', 'tls.certificate': 'a.pem', 'tls.key': 'b.pem' },
  });
  assert.deepEqual([config.listen, config.uploads.maxOpen, config.accessLog], [':2', 7, false]);
  assert.deepEqual(config.tls, { certificate: 'a.pem', key: 'b.pem' });
});

test('readConfig: what is not known or of another type is refused by name', () => {
  const read = (flags: Record<string, string>): unknown => readConfig({ environment: {}, flags });
  assert.throws(() => read({ nonsense: '1' }), /nonsense: there is no such key/);
  assert.throws(() => read({ 'uploads.maxOpen': 'many' }), /uploads\.maxOpen/);
  assert.throws(() => read({ 'tls.key': 'x' }), /tls\.certificate/);
  assert.throws(() => readConfig({ environment: { BERTH_REGISTRY_X: '1' }, flags: {} }), /BERTH_REGISTRY_X/);
});

test('every key of the configuration is documented', () => {
  const text = readFileSync(new URL('../../../docs/registry.md', import.meta.url), 'utf8');
  const missing = [...configKeys().keys()].filter((key) => !text.includes(`\`${key}\``));
  assert.deepEqual(missing, []);
});
