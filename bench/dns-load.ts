import { closeSync } from 'node:fs';
import { encode, RECURSION_DESIRED } from 'dns-packet';
import { createLinuxSys, POLL } from '#sys';

/** As many questions wait for an answer at a time as a busy container has. */
const window = 32;
/** A lost datagram holds its round up so long. */
const patienceMs = 200;

/** `struct sockaddr_in` of 127.0.0.11, port 53. */
const resolver = Buffer.from([2, 0, 0, 53, 127, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0]);

/**
 * Asks the resolver of a container for the address of `name`, over UDP, from the network namespace of the process `pid`.
 *
 * @throws when an answer has no address, or too many are lost.
 */
export function askMany(pid: number, name: string, count: number): void {
  const sys = createLinuxSys();
  const fd = sys.namespaces.withNetns(`/proc/${pid}/ns/net`, () => sys.sockets.openInet('datagram', 4));
  const batch = sys.sockets.createDatagramBatch({ packets: window, packetBytes: 512 });
  const packet = encode({ type: 'query', id: 0, flags: RECURSION_DESIRED, questions: [{ type: 'A', name }] });
  let answered = 0;
  let lost = 0;
  try {
    while (answered < count) {
      for (let id = 0; id < window; id++) {
        batch.answer.set(packet);
        batch.answer.writeUInt16BE(id, 0);
        batch.add(resolver, packet.length);
      }
      batch.send(fd);
      for (let waiting = window; waiting > 0;) {
        const [ready = 0] = sys.sockets.poll([{ fd, events: POLL.IN }], patienceMs);
        if (ready === 0) {
          lost += waiting;
          if (lost > count / 100 + window) throw new Error(`${lost} of ${answered + lost} questions had no answer`);
          break;
        }
        const came = batch.receive(fd);
        for (let index = 0; index < came; index++) {
          if (batch.packet(index).readUInt16BE(6) === 0) throw new Error(`no address of ${name}`);
        }
        answered += came;
        waiting -= came;
      }
    }
  } finally {
    closeSync(fd);
  }
}
