import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordingSys } from '#sys';
import { MemoryAtRest } from './memory-at-rest.ts';

test('MemoryAtRest gives memory back once after work, when it is quiet', () => {
  const sys = createRecordingSys();
  let cpuMs = 1000;
  const rest = new MemoryAtRest({
    processes: sys.processes,
    cpuMs: () => cpuMs,
    collect: () => {
      cpuMs += 50;
    },
  });
  const after = (workMs: number): boolean => {
    cpuMs += workMs;
    return rest.check();
  };
  assert.equal(after(500), false, 'still busy');
  assert.equal(after(10), true);
  assert.deepEqual(sys.lines(), ['processes.trimHeaps', 'processes.releaseProgramPages']);
  assert.equal(after(10), false, 'nothing was done since');
  assert.equal(after(100), false);
  assert.equal(after(250), false, 'still busy');
  assert.equal(after(100), true);
});
