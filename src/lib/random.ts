import { randomBytes } from 'node:crypto';

/** `bytes` random bytes in lower-case hex; 32 bytes make a container ID. */
export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
