import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { createTarWriter, decompress, readTar, type TarHeaderInit } from '#archive';
import { jsonLines, type Query } from '#client';
import type { ProgressLine } from '#spec';
import type { CliOptions, CliResult } from './docker-cli.ts';
import type { TestEngine } from './engine.ts';

/** Files of a context by path; with a mode where it matters. */
export type ContextFiles = Readonly<Record<string, string | ({ content: string } & Partial<TarHeaderInit>)>>;

/** A folder with these files, which goes when the test ends. */
export function contextFolder(t: TestContext, files: ContextFiles): string {
  const folder = mkdtempSync('/var/tmp/berth-test-context-');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, file] of Object.entries(files)) {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof file === 'string') writeFileSync(full, file);
    else writeFileSync(full, file.content, { mode: file.mode ?? 0o644 });
  }
  return folder;
}

/** `docker build` of the stock CLI with its classic builder. */
export async function dockerBuild(
  engine: TestEngine,
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  return await engine.docker(['build', ...args], { ...options, env: { DOCKER_BUILDKIT: '0', ...options.env } });
}

export interface BuildAnswer {
  /** Everything that was printed. */
  readonly text: string;
  readonly imageId: string | undefined;
  readonly error: string | undefined;
  readonly code: number | undefined;
}

export interface BuildInput {
  readonly files?: ContextFiles;
  readonly query?: Query;
  readonly signal?: AbortSignal;
  /** Called with each line's text. */
  readonly seen?: (text: string) => void;
}

/** `POST /build` with a Dockerfile and files beside it. */
export async function build(engine: TestEngine, dockerfile: string, input: BuildInput = {}): Promise<BuildAnswer> {
  const tar = await contextTar({ Dockerfile: dockerfile, ...input.files });
  return await buildTar(engine, tar, input);
}

/** `POST /build` with these bytes as its body. */
export async function buildTar(engine: TestEngine, tar: Buffer, input: BuildInput = {}): Promise<BuildAnswer> {
  const { query = {}, seen, signal } = input;
  const response = await engine.client.send({
    method: 'POST',
    path: '/build',
    query,
    stream: Readable.from([tar]),
    ...(signal === undefined ? {} : { signal }),
  });
  const answer = { text: '', imageId: undefined as string | undefined, error: undefined as string | undefined };
  let code: number | undefined;
  for await (const line of jsonLines<ProgressLine>(response)) {
    answer.text += line.stream ?? '';
    if (line.stream !== undefined) seen?.(answer.text);
    answer.imageId ??= imageIdOf(line.aux);
    answer.error ??= line.error;
    code ??= line.errorDetail?.code;
  }
  return { ...answer, code };
}

function imageIdOf(aux: unknown): string | undefined {
  return typeof aux === 'object' && aux !== null && 'ID' in aux ? String(aux.ID) : undefined;
}

/** An archive of these files, all root's. */
export async function contextTar(files: ContextFiles): Promise<Buffer> {
  const writer = createTarWriter();
  const write = async (): Promise<void> => {
    for (const [name, file] of Object.entries(files)) {
      const { content, ...rest } = typeof file === 'string' ? { content: file } : file;
      await writer.add({ name, ...rest }, Buffer.from(content));
    }
    await writer.end();
  };
  const [bytes] = await Promise.all([buffer(writer.stream), write()]);
  return bytes;
}

/** One entry of a layer: `-rw-r--r-- 0:0 name -> link [xattrs] content`. */
export type LayerEntry = string;

/** The layers of an image from the bottom, each a sorted list of its entries, short contents included. */
export async function imageLayers(engine: TestEngine, image: string): Promise<LayerEntry[][]> {
  const saved = await engine.client.send({ method: 'GET', path: `/images/${encodeURIComponent(image)}/get` });
  const blobs = new Map<string, Buffer>();
  for await (const { header, body } of readTar(Readable.from(saved))) {
    if (header.type === 'file') blobs.set(header.name, await collectBytes(body));
  }
  const manifest: unknown = JSON.parse(blobs.get('manifest.json')?.toString() ?? '[]');
  assert.ok(Array.isArray(manifest), 'manifest.json');
  const [{ Layers: names }] = manifest as [{ Layers: string[] }];
  return await Promise.all(names.map(async (name) => await layerEntries(blobs.get(name) ?? Buffer.alloc(0))));
}

async function layerEntries(layer: Buffer): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  for await (const { header, body } of readTar(decompress(Readable.from([layer])))) {
    const content = header.type === 'file' ? (await collectBytes(body)).toString() : '';
    const { type, mode, uid, gid, name, linkName, xattrs } = header;
    const attributes = [...xattrs].map(([key, value]) => `${key}=${Buffer.from(value).toString('hex')}`).join(',');
    const parts = [type, mode.toString(8), `${uid}:${gid}`, name, linkName === '' ? '' : `-> ${linkName}`, attributes];
    if (content !== '' && content.length < 200) parts.push(JSON.stringify(content));
    entries.push(parts.filter((part) => part !== '').join(' '));
  }
  return entries.toSorted();
}

async function collectBytes(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
