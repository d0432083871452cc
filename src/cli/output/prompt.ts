import { readSync } from 'node:fs';
import type { CliContext } from '../context.ts';
import { isErrno } from '#lib';

/** Asks a yes-or-no question on standard output; anything but `y` or `Y` on standard input is no. */
export function confirm(ctx: CliContext, question: string): boolean {
  ctx.out(`${question} [y/N] `);
  const answer = readLine();
  return answer.trim().toLowerCase() === 'y';
}

/** One line from standard input, blocking; empty at its end. */
export function readLine(): string {
  const byte = Buffer.alloc(1);
  const bytes: number[] = [];
  for (;;) {
    let count: number;
    try {
      count = readSync(0, byte);
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) return Buffer.from(bytes).toString('utf8');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      continue;
    }
    if (count === 0 || byte[0] === 10) return Buffer.from(bytes).toString('utf8');
    bytes.push(byte[0] ?? 0);
  }
}
