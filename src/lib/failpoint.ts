let armed: ReadonlySet<string> | undefined;

/**
 * A named place between two steps of an operation. With the environment variable `BERTH_FAILPOINTS` naming it (several
 * with commas) the process dies here as by `kill -9`, so that crash tests can stop at every step. Otherwise nothing.
 */
export function failpoint(name: string): void {
  armed ??= new Set((process.env['BERTH_FAILPOINTS'] ?? '').split(',').filter((text) => text !== ''));
  if (armed.has(name)) process.kill(process.pid, 'SIGKILL');
}
