import type { Work } from '../work.ts';
import { cliPs, cliStart } from './cli-start.ts';
import { dns } from './dns.ts';
import { exec } from './exec.ts';
import { jsonLog } from './json-log.ts';
import { load20k } from './load20k.ts';
import { memory, memoryIdle } from './memory.ts';
import { parallel50 } from './parallel50.ts';
import { portRun } from './port-run.ts';
import { ps500 } from './ps500.ts';
import { pull, pullMemory } from './pull.ts';
import { registryWorks } from './registry.ts';
import { run } from './run.ts';
import { stdout256 } from './stdout256.ts';

/** All of them, in the order in which they disturb each other least. */
export const works: readonly Work[] = [
  memoryIdle,
  cliStart,
  cliPs,
  load20k,
  pull,
  pullMemory,
  run,
  portRun,
  exec,
  dns,
  parallel50,
  memory,
  stdout256,
  jsonLog,
  ...registryWorks,
  ps500,
];
