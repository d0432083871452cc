import { test, type TestContext } from 'node:test';

/**
 * The daemon under test when it is not ours: `BERTH_TEST_HOST=unix:///run/docker.sock` runs the suites against a real
 * dockerd, which proves the tests. Unset, every suite starts a berthd of its own.
 */
export const externalHost: string | undefined = process.env['BERTH_TEST_HOST'] || undefined;

/** A test of what only Berth does; skipped, and so counted as skipped, against another engine. */
export function berthTest(name: string, body: (t: TestContext) => Promise<void> | void): void {
  void test(name, { skip: externalHost === undefined ? false : 'Berth only' }, body);
}
