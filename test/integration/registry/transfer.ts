import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ApiError, jsonLines } from '#client';
import type { ImageInspect, ProgressLine } from '#spec';
import type { TestEngine } from '../../helpers/engine.ts';
import { isBerth } from '../../helpers/target.ts';

export interface TransferQuery {
  readonly tag?: string;
  readonly platform?: string;
}

export const anonymous: Readonly<Record<string, string>> = { 'x-registry-auth': 'e30=' };

/** All lines of a pull. @throws ApiError when it is refused before the first line. */
export async function pull(
  engine: TestEngine,
  image: string,
  query: TransferQuery = {},
  options: {
    signal?: AbortSignal;
    onLine?: (line: ProgressLine) => void;
    headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<ProgressLine[]> {
  const { signal, onLine, headers } = options;
  const response = await engine.client.send({
    method: 'POST',
    path: '/images/create',
    query: { fromImage: image, ...query },
    ...(headers ? { headers } : {}),
    ...(signal ? { signal } : {}),
  });
  const lines: ProgressLine[] = [];
  for await (const line of jsonLines<ProgressLine>(response)) {
    lines.push(line);
    onLine?.(line);
  }
  return lines;
}

/** All lines of a push. */
export async function push(
  engine: TestEngine,
  image: string,
  query: TransferQuery = {},
  headers: Readonly<Record<string, string>> = anonymous,
): Promise<ProgressLine[]> {
  const response = await engine.client.send({
    method: 'POST',
    path: `/images/${image}/push`,
    query: { ...query },
    headers,
  });
  return await Array.fromAsync(jsonLines<ProgressLine>(response));
}

/** Lines as text, without bars: those depend on time. */
export function texts(lines: readonly ProgressLine[]): string[] {
  return lines
    .filter((line) => line.progress === undefined && line.aux === undefined)
    .map((line) => line.error ?? (line.id === undefined ? (line.status ?? '') : `${line.id}: ${line.status ?? ''}`));
}

export function failureOf(lines: readonly ProgressLine[]): string {
  const last = lines.at(-1);
  assert.equal(last?.error, last?.errorDetail?.message);
  return last?.error ?? '';
}

/** The digest that the last line of a pull or push tells. */
export function digestIn(lines: readonly ProgressLine[]): string {
  return lines.map((line) => /[Dd]igest: (sha256:[0-9a-f]{64})/.exec(line.status ?? '')?.[1]).find(Boolean) ?? '';
}

export async function inspectImage(engine: TestEngine, name: string): Promise<ImageInspect> {
  return await engine.client.get<ImageInspect>(`/images/${name}/json`);
}

export async function hasImage(engine: TestEngine, name: string): Promise<boolean> {
  try {
    await inspectImage(engine, name);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

export async function removeImage(engine: TestEngine, name: string): Promise<void> {
  if (await hasImage(engine, name)) await engine.client.delete(`/images/${name}`, { force: true });
}

/** The image goes with the test, whether it is there or not. */
export function removeImageAfter(t: TestContext, engine: TestEngine, ...names: string[]): void {
  t.after(async () => {
    for (const name of names) await removeImage(engine, name);
  });
}

/** Nothing lies about in the store that no image owns. */
export async function assertWhole(engine: TestEngine): Promise<void> {
  if (!isBerth) return;
  const { problems } = await engine.client.get<{ problems: string[] }>('/berth/fsck');
  assert.deepEqual(problems, []);
}
