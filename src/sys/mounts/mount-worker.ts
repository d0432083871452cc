import { parentPort, workerData } from 'node:worker_threads';
import { lastErrno } from '../errno.ts';
import type { MountJob } from './mount-thread.ts';
import { tryMount } from './mount.ts';

const { source, target, fsType, flags, data } = workerData as MountJob;
parentPort?.postMessage(tryMount(source, target, fsType, flags, data) === 0 ? 0 : lastErrno());
