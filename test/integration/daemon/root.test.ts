import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { berthOnly } from '../../helpers/target.ts';

const project = join(import.meta.dirname, '../../..');

/** Every folder of this host, in a root that is a plain folder, in a mount namespace of its own. */
const makeRoot = 'for each in /*; do [ -d "$each" ] && mkdir -p "$1$each" && mount --rbind "$each" "$1$each"; done';

/** Runs a program there. */
async function inChroot(
  t: TestContext,
  program: readonly string[],
  prepare: string,
): Promise<{ code: unknown; stderr: string }> {
  const root = mkdtempSync('/var/tmp/berth-chroot-');
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const script = `set -e; ${prepare}; root=$1; shift; exec chroot "$root" "$@"`;
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', root, ...program];
  return await new Promise((resolve) => {
    execFile('unshare', args, { timeout: 30_000 }, (error, _stdout, stderr) => resolve({ code: error?.code, stderr }));
  });
}

describe('a plain chroot', { ...berthOnly, concurrency: 2 }, () => {
  const daemon = (t: TestContext): string[] => {
    const directory = mkdtempSync('/var/tmp/berth-chroot-');
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const at = (name: string): string => join(directory, name);
    const roots = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
    return [join(project, 'bin/berthd'), ...roots, '-H', `unix://${at('sock')}`];
  };

  test('whose folder is no mount point: berthd refuses to start, and says why', async (t) => {
    const { code, stderr } = await inChroot(t, daemon(t), makeRoot);
    assert.equal(code, 1);
    assert.match(stderr, /^berthd: this is a chroot: \/ is not the root of the mount namespace/);
  });

  test('whose folder is a mount point is no better', async (t) => {
    const { code, stderr } = await inChroot(t, daemon(t), `mount --bind "$1" "$1"; ${makeRoot}`);
    assert.equal(code, 1);
    assert.match(stderr, /^berthd: this is a chroot/);
  });

  test('is refused by the set-up too', async (t) => {
    const setup = [join(project, 'scripts/setup')];
    const { code, stderr } = await inChroot(t, setup, `mount --bind "$1" "$1"; ${makeRoot}`);
    assert.equal(code, 1);
    assert.match(stderr, /^setup: this is a chroot/);
  });
});
