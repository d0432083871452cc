import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isKind } from '#errors';
import { encodeHeader } from './encode-header.ts';
import { createTarWriter } from './writer.ts';

describe('encodeHeader', () => {
  test('needs one block where ustar suffices', () => {
    assert.equal(encodeHeader({ name: 'a'.repeat(100) }).length, 512);
    assert.equal(encodeHeader({ name: `${'d'.repeat(150)}/${'f'.repeat(100)}` }).length, 512);
    assert.equal(encodeHeader({ name: `${'d'.repeat(99)}/`, type: 'directory' }).length, 512);
  });

  test('puts a PAX header before it where not', () => {
    assert.equal(encodeHeader({ name: 'a'.repeat(101) }).length, 3 * 512);
    assert.equal(encodeHeader({ name: 'a', mtimeNs: 1n }).length, 3 * 512);
    assert.equal(encodeHeader({ name: 'a', sizeBytes: 2 ** 33 }).length, 3 * 512);
    assert.equal(encodeHeader({ name: 'a', uid: 2 ** 21 }).length, 3 * 512);
  });

  test('ends directory names with one slash', () => {
    assert.equal(encodeHeader({ name: 'd', type: 'directory' }).toString('latin1', 0, 3), 'd/\0');
    assert.equal(encodeHeader({ name: 'd/', type: 'directory' }).toString('latin1', 0, 3), 'd/\0');
  });

  test('refuses what no archive can say', () => {
    assert.throws(() => encodeHeader({ name: 'a', uid: -1 }), /cannot be described/);
    assert.throws(() => encodeHeader({ name: 'a', type: 'char', deviceMinor: 2 ** 21 }), /cannot be described/);
  });
});

describe('createTarWriter', () => {
  test('takes a stream as a body and waits for its reader', async () => {
    const writer = createTarWriter();
    async function* body(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 100; i++) yield Buffer.alloc(10_000, 1);
    }
    const added = writer.add({ name: 'big', sizeBytes: 1_000_000 }, body());
    let settled = false;
    void added.then(() => (settled = true));
    await new Promise(setImmediate);
    assert.equal(settled, false);
    const collected = writer.stream.toArray() as Promise<Buffer[]>;
    await added;
    await writer.end();
    assert.equal(Buffer.concat(await collected).length, 512 + Math.ceil(1_000_000 / 512) * 512 + 1024);
  });

  test('refuses bodies of another length than announced', async () => {
    const writer = createTarWriter();
    writer.stream.resume();
    await assert.rejects(writer.add({ name: 'a', sizeBytes: 3 }, 'ab'), /content of a is not 3 bytes/);
    await assert.rejects(writer.add({ name: 'a', sizeBytes: 1 }, 'ab'), /content of a is not 1 bytes/);
  });

  test('fails once the reader is gone, also while waiting for it', async () => {
    const writer = createTarWriter();
    const added = writer.add({ name: 'a' }, Buffer.alloc(1_000_000));
    writer.stream.destroy();
    await assert.rejects(added, (error) => isKind(error, 'cancelled'));
    await assert.rejects(writer.add({ name: 'b' }), (error) => isKind(error, 'cancelled'));
  });
});
