import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';

const engine = useEngine();

describe('pruning and looking up', () => {
  test('docker system prune goes through every kind and takes stopped containers', async (t) => {
    const id = await engine.run(t, 'true');
    await engine.wait(id);
    const { stdout, exitCode } = await engine.docker(['system', 'prune', '-f']);
    assert.equal(exitCode, 0);
    assert.match(stdout, new RegExp(`Deleted Containers:\n${id}\n`));
    assert.match(stdout, /Total reclaimed space: 0B/);
    await refuses(engine.client.get(`/containers/${id}/json`), 404, /No such container/);
  });

  test('docker inspect of a name that nothing has says so', async () => {
    const { stderr, exitCode } = await engine.docker(['inspect', 'nothing-has-this-name']);
    assert.equal(exitCode, 1);
    assert.match(stderr, /No such object: nothing-has-this-name/i);
  });
});
