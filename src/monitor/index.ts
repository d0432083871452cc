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
export type { JsonLog } from './json-log/json-log-converter.ts';
export { JsonLogs } from './json-log/json-logs.ts';
export { LogRotator, type RotatedLog } from './log-rotator.ts';
