import type { LogDriver } from './contract.ts';
import { syslog } from './syslog.ts';

/** Drivers that send a container's output to somebody else. */
export const logDrivers: Readonly<Record<string, LogDriver>> = { syslog };
