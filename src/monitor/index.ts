export type {
  AttachConnection,
  AttachFrame,
  AttachRequest,
  Launched,
  LaunchRequest,
  LogLine,
  ProcessExit,
  ReadLogsOptions,
  TerminalSize,
} from './contract.ts';
export { Monitor, type MonitorOptions } from './monitor.ts';
