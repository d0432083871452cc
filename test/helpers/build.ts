import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CliOptions, CliResult } from './docker-cli.ts';
import type { TestEngine } from './engine.ts';

/** Files of a context by path; with a mode where it matters. */
export type ContextFiles = Readonly<Record<string, string | { readonly content: string; readonly mode: number }>>;

/** A folder with these files, which goes when the test ends. */
export function contextFolder(t: TestContext, files: ContextFiles): string {
  const folder = mkdtempSync('/var/tmp/berth-test-context-');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, file] of Object.entries(files)) {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof file === 'string') writeFileSync(full, file);
    else writeFileSync(full, file.content, { mode: file.mode });
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
