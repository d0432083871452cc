import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findEngineError } from '#errors';
import { createLogger, isErrno, type Logger } from '#lib';
import { createLinuxSys } from '#sys';
import { readInvocation, usage, type DaemonConfig } from './config.ts';
import { checkRoot } from './root-check.ts';
import { engineVersion } from './version.ts';
import { openDaemon } from './wire.ts';

/** How long clients get to finish before their connections are cut at shutdown. */
const drainMs = 3_000;

function fail(message: string): never {
  process.stderr.write(`berthd: ${message}\n`);
  process.exit(1);
}

async function main(args: string[]): Promise<void> {
  const invocation = readInvocation(args);
  switch (invocation.action) {
    case 'help':
      process.stdout.write(usage());
      return;
    case 'version':
      process.stdout.write(`Berth version ${engineVersion()}\n`);
      return;
    case 'validated':
      process.stdout.write('configuration OK\n');
      return;
    case 'run':
      await run(invocation.config);
  }
}

async function run(config: DaemonConfig): Promise<void> {
  if (process.getuid?.() !== 0) fail('it needs root: start it with sudo or as a system service');
  await checkRoot(createLinuxSys().mounts);
  const logger = createLogger(config.logLevel);
  claimPidfile(config.pidfile);
  const daemon = await openDaemon(config, logger);
  const stopped = Promise.withResolvers<void>();
  let signals = 0;
  const stop = (signal: NodeJS.Signals): void => {
    signals += 1;
    logger.info('shutting down; containers run on', { signal });
    if (signals > 1) process.exit(1);
    daemon.close(drainMs).then(stopped.resolve, stopped.reject);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGPIPE', () => undefined);
  process.on('unhandledRejection', (reason) => report(logger, 'unhandled rejection', reason));
  process.on('uncaughtException', (error) => report(logger, 'uncaught exception', error));
  logger.info('Daemon has completed initialization', { version: engineVersion(), hosts: config.hosts.join(',') });
  await stopped.promise;
  rmSync(config.pidfile, { force: true });
  process.exit(0);
}

/** A defect in one request must not take down the engine of everybody else. */
function report(logger: Logger, what: string, error: unknown): void {
  logger.error(what, { error, stack: error instanceof Error ? error.stack : undefined });
}

/** One daemon per pidfile: a live holder is an error, a dead one's file is replaced. */
function claimPidfile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  const holder = readPid(path);
  if (holder !== undefined && isDaemon(holder)) {
    fail(`process with PID ${holder} is still running; if it is no berthd, remove ${path}`);
  }
  writeFileSync(path, `${process.pid}\n`);
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 && pid !== process.pid ? pid : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isDaemon(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('daemon/main.');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return false;
    throw error;
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = findEngineError(error);
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  fail(known && known.kind !== 'internal' ? known.message : detail);
});
