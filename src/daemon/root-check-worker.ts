import { closeSync, openSync, statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { CLONE, createLinuxSys } from '#sys';

// Joining a mount namespace, even one's own, moves a thread to its root. This one ends then.
const { namespaces } = createLinuxSys();
const fd = openSync('/proc/self/ns/mnt', 'r');
namespaces.unshare(CLONE.FS);
namespaces.setns(fd, CLONE.NEWNS);
const { dev, ino } = statSync('/', { bigint: true });
closeSync(fd);
parentPort?.postMessage(`${dev}:${ino}`);
