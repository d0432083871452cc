export { KeyedMutex } from './keyed-mutex.ts';
export { isAbort, throwIfAborted } from './abort.ts';
export { isErrno } from './errno.ts';
export { formatRfc3339Nano, nowNano, parseRfc3339Nano, ZERO_TIME } from './time.ts';
export { randomHex } from './random.ts';
export { createLogger, type Logger, type LogLevel } from './logger.ts';
export { failpoint } from './failpoint.ts';
export { Semaphore } from './semaphore.ts';
