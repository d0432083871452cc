import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BuildPart, decodeBuildParts, encodeBuildParts, type OutgoingBuildPart } from './build-parts.ts';

async function* pieces(...texts: string[]): AsyncGenerator<Buffer, void, void> {
  for (const text of texts) yield Buffer.from(text);
}

async function bytesOf(parts: OutgoingBuildPart[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of encodeBuildParts(parts)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* inSteps(bytes: Buffer, step: number): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

async function decoded(body: AsyncIterable<Uint8Array>): Promise<[BuildPart, string][]> {
  const parts: [BuildPart, string][] = [];
  for await (const { header, content } of decodeBuildParts(body)) {
    let text = '';
    for await (const piece of content) text += piece.toString();
    parts.push([header, text]);
  }
  return parts;
}

const parts = (): OutgoingBuildPart[] => [
  { header: { part: 'secret', id: 's' }, content: pieces('top', '', 'secret') },
  { header: { part: 'image', name: 'n', reference: 'r' } },
  { header: { part: 'context', name: '' }, content: pieces('tar') },
];
const expected: [BuildPart, string][] = [
  [{ part: 'secret', id: 's' }, 'topsecret'],
  [{ part: 'image', name: 'n', reference: 'r' }, ''],
  [{ part: 'context', name: '' }, 'tar'],
];

test('parts come out as they went in, however they are cut', async () => {
  const bytes = await bytesOf(parts());
  for (const step of [1, 2, 7, bytes.length]) assert.deepEqual(await decoded(inSteps(bytes, step)), expected);
});

test('what is not read of a part is skipped', async () => {
  const headers: BuildPart[] = [];
  for await (const { header } of decodeBuildParts(inSteps(await bytesOf(parts()), 3))) headers.push(header);
  assert.deepEqual(
    headers,
    expected.map(([header]) => header),
  );
});

test('a body that is cut off anywhere is refused', async () => {
  const bytes = await bytesOf([{ header: { part: 'secret', id: 's' }, content: pieces('abc') }]);
  for (let length = 1; length < bytes.length; length += 1) {
    await assert.rejects(decoded(inSteps(bytes.subarray(0, length), 5)), /unexpected EOF/);
  }
  assert.deepEqual(await decoded(inSteps(Buffer.alloc(0), 1)), []);
});
