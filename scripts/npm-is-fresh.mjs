// Exits 0 when node_modules holds what package-lock.json asks for. Runs on any Node, before anything is installed.
import { readFileSync } from 'node:fs';

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

const wanted = Object.entries(packagesOf('package-lock.json')).filter(([path]) => path !== '');
const present = packagesOf('node_modules/.package-lock.json');
// Optional packages for another machine are rightly absent.
const fresh = wanted.every(([path, { version, optional }]) =>
  present[path] ? present[path].version === version : optional,
);
process.exit(fresh && wanted.length > 0 ? 0 : 1);
