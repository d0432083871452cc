import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { JsonLogConverter } from './json-log-converter.ts';
import type { ConvertAnswer, ConvertRequest } from './json-log-thread.ts';

/** Then it is told how far it came, and asked again. */
const TURN_BYTES = 32 * 1024 * 1024;
/** Whoever reads the output of a container, or makes it, goes first. */
const NICENESS = 5;

const port = parentPort;

async function convert({ id, log }: ConvertRequest): Promise<ConvertAnswer> {
  try {
    const converter = await JsonLogConverter.open(log);
    try {
      await converter.drain((bytes) => bytes >= TURN_BYTES);
      return { id, inode: converter.sourceInode };
    } finally {
      await converter.close();
    }
  } catch (cause) {
    return { id, error: cause instanceof Error ? cause : new Error(String(cause)) };
  }
}

// On Linux this is about the calling thread alone; see setpriority(2).
setPriority(0, NICENESS);
port?.on('message', (request: ConvertRequest) => void convert(request).then((answer) => port.postMessage(answer)));
