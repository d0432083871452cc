import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVersion } from './oci-runtime.ts';

test('parseVersion reads crun and runc', () => {
  assert.deepEqual(parseVersion('crun version 1.8.1\ncommit: f8a096\nrundir: /run/crun\n'), {
    name: 'crun',
    version: '1.8.1',
    commit: 'f8a096',
  });
  assert.deepEqual(parseVersion('runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1\nspec: 1.0.2-dev\n'), {
    name: 'runc',
    version: '1.1.5+ds1',
    commit: '1.1.5+ds1-1',
  });
});
