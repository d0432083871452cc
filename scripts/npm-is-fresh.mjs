// Exits 0 when node_modules holds what package-lock.json asks for. Runs on any Node, before anything is installed.
import { readFileSync } from 'node:fs';

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

/** Whether a package is for this machine; Debian's C library is glibc. */
function fits({ os, cpu, libc }) {
  return [
    [os, process.platform],
    [cpu, process.arch],
    [libc, 'glibc'],
  ].every(([allowed, here]) => !allowed || allowed.includes(here));
}

const wanted = Object.entries(packagesOf('package-lock.json')).filter(([path]) => path !== '');
const present = packagesOf('node_modules/.package-lock.json');
const fresh = wanted.every(([path, entry]) =>
  present[path] ? present[path].version === entry.version : entry.optional && !fits(entry),
);
process.exit(fresh && wanted.length > 0 ? 0 : 1);
