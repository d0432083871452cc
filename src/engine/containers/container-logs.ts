import { existsSync } from 'node:fs';
import { EngineError } from '#errors';
import type { Logger } from '#lib';
import {
  type FollowedLog,
  followJsonLog,
  followShippedLog,
  isDelivered,
  type LogDestination,
  type LogDriverHost,
  logDrivers,
  LogFollowers,
  type LogReader,
  LogRotator,
} from '#monitor';
import type { ContainerDirectories } from './directories.ts';
import { logAttributes, logInfo } from './log-attributes.ts';
import { maxUnreadBytes, parseLogLimits } from './log-config.ts';
import type { ContainerRecord } from './record.ts';

export interface ContainerLogsOptions {
  logger: Logger;
  directories: ContainerDirectories;
  host: LogDriverHost;
}

/** What becomes of the logs that conmon writes: json-files, messages to receivers, and their rotation. */
export class ContainerLogs {
  readonly #options: ContainerLogsOptions;
  readonly #rotator: LogRotator;
  readonly #followers: LogFollowers;

  constructor(options: ContainerLogsOptions) {
    this.#options = options;
    this.#rotator = new LogRotator();
    this.#followers = new LogFollowers({
      onError: (container, error) =>
        options.logger.warn('the log driver failed; it is tried again', { container, error }),
    });
  }

  /** @throws internal with dockerd's text when the driver can never work here. */
  check(record: ContainerRecord): void {
    if (!(record.hostConfig.LogConfig.Type in logDrivers)) return;
    try {
      this.#openDestination(record).close();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new EngineError('internal', 'LOG_DRIVER_FAILED', `failed to initialize logging driver: ${why}`, { cause });
    }
  }

  /** Takes the log of a container that runs into care. */
  watch(record: ContainerRecord): void {
    const { LogConfig: logConfig } = record.hostConfig;
    if (logConfig.Type === 'none') return;
    const { directories } = this.#options;
    const { id } = record;
    const limits = parseLogLimits(logConfig);
    const files = { directory: directories.bundle(id), logPath: directories.log(id), ...limits };
    const followed = this.#followed(record);
    if (followed) this.#followers.add(id, followed);
    // Two at least: what is not read yet must outlive a rotation and us.
    const maxFiles = Math.max(2, limits.maxFiles);
    if (logConfig.Type in logDrivers) this.#rotator.add(id, { ...files, maxFiles, reader: this.#reader(record) });
    else if (!followed) this.#rotator.add(id, files);
    else {
      const isDoneBefore = (inode: bigint): boolean => this.#followers.readingInode(id) === inode;
      this.#rotator.add(id, { ...files, maxFiles, isDoneBefore });
    }
  }

  /** The run has ended: waits for what is left, where that can be expected to come to an end. Repeatable. */
  async finish(id: string): Promise<void> {
    this.#rotator.remove(id);
    await this.#followers.finish(id);
  }

  /** Sees to what is left of a container that does not run: the last daemon may not have come to it. */
  async complete(record: ContainerRecord): Promise<void> {
    const { directories } = this.#options;
    const { id } = record;
    const followed = this.#followed(record);
    if (!followed || !existsSync(directories.log(id))) return;
    const shipped = record.hostConfig.LogConfig.Type in logDrivers;
    if (shipped && isDelivered({ sourcePath: directories.log(id), statePath: directories.shipState(id) })) return;
    this.#followers.add(id, followed);
    // A receiver that is not there must not hold us up.
    if (shipped) this.#followers.end(id);
    else await this.#followers.finish(id);
  }

  /** The container is going, and what comes of its log with it. Repeatable. */
  async forget(id: string): Promise<void> {
    this.#rotator.remove(id);
    await this.#followers.forget(id);
  }

  /** Stops after what is under way; the next life goes on from there. */
  async close(): Promise<void> {
    this.#rotator[Symbol.dispose]();
    await this.#followers.close();
  }

  #followed(record: ContainerRecord): FollowedLog | undefined {
    const { directories } = this.#options;
    const { Type: type, Config: config } = record.hostConfig.LogConfig;
    const sourcePath = directories.log(record.id);
    if (type === 'json-file') {
      return followJsonLog({
        sourcePath,
        path: directories.jsonLog(record.id),
        statePath: directories.jsonLogState(record.id),
        attributes: logAttributes(record),
        ...parseLogLimits(record.hostConfig.LogConfig),
      });
    }
    const driver = logDrivers[type];
    return (
      driver &&
      followShippedLog({
        sourcePath,
        statePath: directories.shipState(record.id),
        retryMs: driver.retryMs(config),
        open: () => this.#openDestination(record),
      })
    );
  }

  #openDestination(record: ContainerRecord): LogDestination {
    const { Type: type, Config: config } = record.hostConfig.LogConfig;
    const driver = logDrivers[type];
    if (!driver)
      throw new EngineError('internal', 'NO_LOG_DRIVER', `logger: no log driver named '${type}' is registered`);
    return driver.open(config, logInfo(record), this.#options.host);
  }

  #reader(record: ContainerRecord): LogReader {
    return {
      readingInode: () => this.#followers.readingInode(record.id),
      maxUnreadBytes: maxUnreadBytes(record.hostConfig.LogConfig),
      onDropped: (bytes) =>
        this.#options.logger.warn('the log driver is too far behind: output was dropped', {
          container: record.id,
          bytes,
        }),
    };
  }
}
