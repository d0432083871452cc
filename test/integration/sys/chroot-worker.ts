import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { CLONE, createLinuxSys } from '#sys';

const { namespaces } = createLinuxSys();
namespaces.unshare(CLONE.FS);
namespaces.chroot(String(workerData));
namespaces.setUmask(0);
mkdirSync('/../../made', { mode: 0o777 });
const mode = statSync('/made').mode & 0o777;
rmdirSync('made');
parentPort?.postMessage({ names: readdirSync('/'), mode });
