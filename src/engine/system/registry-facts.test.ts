import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryFacts } from './registry-facts.ts';

test('info shows registries as Docker does, and no password of a proxy', () => {
  const shown = registryFacts({
    insecureRegistries: ['10.0.0.0/8', 'registry.example.com:5000'],
    mirrors: { 'docker.io': ['https://mirror.example.com'] },
    proxies: { http: 'http://ann:secret@proxy.example.com:3128/', https: 'ann:secret@proxy', none: 'localhost' },
  });
  assert.deepEqual(shown, {
    HttpProxy: 'http://xxxxx:xxxxx@proxy.example.com:3128/',
    HttpsProxy: 'xxxxx:xxxxx@proxy',
    NoProxy: 'localhost',
    RegistryConfig: {
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', '10.0.0.0/8'],
      IndexConfigs: {
        'docker.io': { Mirrors: ['https://mirror.example.com/'], Name: 'docker.io', Official: true, Secure: true },
        'registry.example.com:5000': {
          Mirrors: [],
          Name: 'registry.example.com:5000',
          Official: false,
          Secure: false,
        },
      },
      Mirrors: ['https://mirror.example.com/'],
    },
  });
  assert.equal(registryFacts({ insecureRegistries: [], mirrors: {}, proxies: {} })['HttpProxy'], '');
});
