import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, openSync, closeSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ApiError, type ApiClient, jsonLines } from '#client';
import type { ProgressLine } from '#spec';

/** The image every test runs, made from Debian's static busybox. */
export const busybox = 'berth-test/busybox:latest';

const cacheDirectory = '/var/tmp/berth-test-cache';
const script = new URL('../../scripts/busybox-rootfs', import.meta.url).pathname;

/** Path of a root filesystem archive, made once per machine and version of busybox. */
export function busyboxRootfs(): string {
  const source = statSync(
    execFileSync('sh', ['-c', 'readlink -f "$(command -v busybox)"'], { encoding: 'utf8' }).trim(),
  );
  const made = statSync(script);
  const path = join(cacheDirectory, `busybox-${source.size}-${Math.floor(source.mtimeMs)}-${made.size}.tar`);
  if (existsSync(path)) return path;
  mkdirSync(cacheDirectory, { recursive: true });
  const partial = `${path}.${process.pid}`;
  const out = openSync(partial, 'w');
  try {
    execFileSync(script, { stdio: ['ignore', out, 'inherit'] });
  } finally {
    closeSync(out);
  }
  renameSync(partial, path);
  return path;
}

/** Imports {@link busybox} into a daemon unless it is there. */
export async function ensureBusybox(client: ApiClient): Promise<void> {
  try {
    await client.get(`/images/${busybox}/json`);
    return;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
  const [repo, tag] = busybox.split(':');
  const response = await client.send({
    method: 'POST',
    path: '/images/create',
    query: { fromSrc: '-', repo, tag, changes: ['CMD ["sh"]', 'ENV PATH=/bin:/usr/bin'] },
    stream: createReadStream(busyboxRootfs()),
  });
  for await (const line of jsonLines<ProgressLine>(response)) {
    if (line.error !== undefined) throw new Error(`the import of ${busybox} failed: ${line.error}`);
  }
}
