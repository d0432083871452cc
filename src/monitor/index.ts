export type {
  AttachConnection,
  AttachFrame,
  AttachRequest,
  AttachSockets,
  Launched,
  LaunchRequest,
  LogLine,
  PreparedExec,
  ProcessExit,
  ReadLogsOptions,
  TerminalSize,
} from './contract.ts';
export { Monitor, type MonitorOptions } from './monitor.ts';
export { releaseLeftExecs } from './prepared-exec.ts';
export { readLogBatches, readLogs } from './read-logs.ts';
export { followJsonLog } from './json-log/follow-json-log.ts';
export type { JsonLog } from './json-log/json-log-converter.ts';
export type { LogDestination, LogDriver, LogDriverHost, LogInfo, LogOptions } from './log-drivers/contract.ts';
export { logDrivers } from './log-drivers/index.ts';
export { followShippedLog, isDelivered, type ShippedLog } from './log-drivers/log-shipper.ts';
export { parseBool, parseSizeBytes } from './log-drivers/options.ts';
export { type FollowedLog, LogFollowers } from './log-followers.ts';
export { type LogReader, LogRotator, type RotatedLog } from './log-rotator.ts';
