import type { LogDriver } from './contract.ts';
import { fluentd } from './fluentd.ts';
import { gelf } from './gelf.ts';
import { journald } from './journald.ts';
import { syslog } from './syslog.ts';

/** Drivers that send a container's output to somebody else. */
export const logDrivers: Readonly<Record<string, LogDriver>> = { fluentd, gelf, journald, syslog };
