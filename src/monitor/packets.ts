import type { AttachFrame } from './contract.ts';

/** The first byte of each of conmon's packets. */
const STREAM_STDERR = 3;
/** conmon sends 8 KiB and that byte; room is made for more. */
const MAX_PACKET_BYTES = 32 * 1024 + 1;

export interface PacketBatch {
  frames: AttachFrame[];
  /** conmon closed the connection. */
  ended: boolean;
}

/**
 * Receives the packets that wait, side by side, so that neighbours of one stream become one frame.
 *
 * @param receive - Takes one packet: its length, 0 at the end, undefined when there is none now.
 * @param scratch - Working memory, free again after the call; its size bounds the batch.
 */
export function receivePackets(receive: (into: Uint8Array) => number | undefined, scratch: Buffer): PacketBatch {
  const runs: { stream: AttachFrame['stream']; start: number; end: number }[] = [];
  // A packet's first byte, its stream, lands on the last byte of the packet before, which is put back after.
  let end = 1;
  let ended = false;
  while (end + MAX_PACKET_BYTES <= scratch.length) {
    const covered = scratch[end - 1] ?? 0;
    const length = receive(scratch.subarray(end - 1));
    if (length === undefined || length === 0) {
      ended = length === 0;
      break;
    }
    const stream = scratch[end - 1] === STREAM_STDERR ? 'stderr' : 'stdout';
    scratch[end - 1] = covered;
    const run = runs.at(-1);
    if (run?.stream === stream) run.end += length - 1;
    else runs.push({ stream, start: end, end: end + length - 1 });
    end += length - 1;
  }
  const bytes = Buffer.from(scratch.subarray(0, end));
  return { frames: runs.map((run) => ({ stream: run.stream, data: bytes.subarray(run.start, run.end) })), ended };
}
