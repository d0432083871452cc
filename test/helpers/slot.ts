import { createServer, type Server } from 'node:net';
import { isErrno } from '#lib';

const firstPort = 21_000;
const highest = 250;

/** A number no other running test process has, for names and subnets of a daemon's own. */
export interface Slot {
  readonly number: number;
  release(): void;
}

/** Takes the lowest free slot. A listening port on loopback stands for it, so the kernel frees it when we die. */
export async function takeSlot(): Promise<Slot> {
  for (let number = 1; number <= highest; number++) {
    const server = await listen(firstPort + number);
    if (server) return { number, release: () => void server.close() };
  }
  throw new Error(`all ${highest} test slots are taken (loopback ports from ${firstPort + 1})`);
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', (error) => (isErrno(error, 'EADDRINUSE') ? resolve(undefined) : reject(error)));
    server.listen(port, '127.0.0.1', () => resolve(server.unref()));
  });
}
