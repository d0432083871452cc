import type { CliContext } from '../context.ts';

const controlC = 3;
const endOfInput = 4;
const backspaces = [8, 127];

/** Asks for a line that is not shown while it is typed. Control-C ends the process, as it would elsewhere. */
export async function readSecret(ctx: CliContext, question: string): Promise<string> {
  const { stdin } = ctx.io;
  ctx.out(question);
  stdin.setRawMode(true);
  try {
    const typed: number[] = [];
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      for (const byte of Buffer.from(chunk)) {
        if (byte === controlC) process.kill(process.pid, 'SIGINT');
        if (byte === 10 || byte === 13 || byte === endOfInput) return Buffer.from(typed).toString('utf8');
        if (backspaces.includes(byte)) typed.pop();
        else typed.push(byte);
      }
    }
    return Buffer.from(typed).toString('utf8');
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    ctx.out('\n');
  }
}
