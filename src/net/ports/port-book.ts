import type { PortProtocol } from '../contract.ts';
import { allPortsAllocated, portAllocated } from '../errors.ts';
import { addressesClash, type PortGroup } from './plan.ts';

/** So many ports that others on the host hold are tried before giving up. */
const MAX_BUSY_PORTS = 100;

/** The ports that containers have, by protocol and number. */
export class PortBook {
  readonly #addresses = new Map<string, string[]>();
  readonly #ephemeral: { first: number; last: number };
  /** Of the ephemeral ports, the one given last; ports are not given again soon. */
  readonly #lastGiven = new Map<PortProtocol, number>();

  constructor(ephemeral: { first: number; last: number }) {
    this.#ephemeral = ephemeral;
  }

  /**
   * Takes the first port of a group that is free here, and that `hold` can have at all addresses.
   *
   * @param hold - throws when others on the host have the port.
   * @throws {@link EngineError} conflict with Docker's texts; what the last `hold` threw.
   */
  take<T>(group: PortGroup, hold: (hostPort: number) => T): { hostPort: number; held: T } {
    const { protocol, hostAddresses } = group;
    const problems: unknown[] = [];
    for (const hostPort of this.#candidates(group)) {
      const clash = hostAddresses.find((address) => this.#isTaken(protocol, address, hostPort));
      if (clash !== undefined) {
        if (isFixed(group)) throw portAllocated(clash, hostPort);
        continue;
      }
      try {
        const held = hold(hostPort);
        this.add(protocol, hostAddresses, hostPort);
        if (group.hostPorts === undefined) this.#lastGiven.set(protocol, hostPort);
        return { hostPort, held };
      } catch (error) {
        problems.push(error);
        if (problems.length === MAX_BUSY_PORTS) break;
      }
    }
    const last = problems.at(-1);
    throw last instanceof Error ? last : allPortsAllocated();
  }

  /** Notes ports as taken that a container has already. */
  add(protocol: PortProtocol, hostAddresses: readonly string[], hostPort: number): void {
    const key = `${protocol} ${hostPort}`;
    this.#addresses.set(key, [...(this.#addresses.get(key) ?? []), ...hostAddresses]);
  }

  release(protocol: PortProtocol, hostAddress: string, hostPort: number): void {
    const key = `${protocol} ${hostPort}`;
    const left = (this.#addresses.get(key) ?? []).filter((address) => address !== hostAddress);
    if (left.length === 0) this.#addresses.delete(key);
    else this.#addresses.set(key, left);
  }

  #isTaken(protocol: PortProtocol, address: string, port: number): boolean {
    return (this.#addresses.get(`${protocol} ${port}`) ?? []).some((other) => addressesClash(address, other));
  }

  *#candidates({ protocol, hostPorts }: PortGroup): Generator<number> {
    const { first, last } = hostPorts ?? this.#ephemeral;
    const count = last - first + 1;
    const given = hostPorts === undefined ? this.#lastGiven.get(protocol) : undefined;
    const start = given === undefined ? 0 : given - first + 1;
    for (let index = 0; index < count; index += 1) yield first + ((start + index) % count);
  }
}

function isFixed({ hostPorts }: PortGroup): boolean {
  return hostPorts !== undefined && hostPorts.first === hostPorts.last;
}
