import { rmSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const { path } = workerData as { path: string };
rmSync(path, { recursive: true, force: true });
