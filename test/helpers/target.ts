/**
 * The daemon under test when it is not ours: `BERTH_TEST_HOST=unix:///run/docker.sock` runs the suites against a real
 * dockerd, which proves the tests. Unset, every suite starts a berthd of its own.
 */
export const externalHost: string | undefined = process.env['BERTH_TEST_HOST'] || undefined;

/** Options of a test of what only Berth does; skipped, and so counted as skipped, against another engine. */
export const berthOnly: { skip: string | false } = { skip: externalHost === undefined ? false : 'Berth only' };

/** Whether it is Berth that is tested. */
export const isBerth: boolean = externalHost === undefined;
