import { readFileSync } from 'node:fs';

/** Random per boot of the kernel: what was written under another one and not synced may be lost. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
