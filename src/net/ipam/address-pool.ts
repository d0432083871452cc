import { contains, type Subnet, subnetSize } from './ipv4.ts';

/** Which addresses of a network are taken, and by whom. In memory; the caller persists. */
export class AddressPool {
  readonly #subnet: Subnet;
  readonly #owners = new Map<number, string>();

  /** @param reserved - never given out: the gateway. The network's and the broadcast address are not either. */
  constructor(subnet: Subnet, reserved: readonly number[]) {
    this.#subnet = subnet;
    for (const address of reserved) this.#owners.set(address, '');
  }

  #usable(address: number): boolean {
    const { base } = this.#subnet;
    return contains(this.#subnet, address) && address !== base && address !== base + subnetSize(this.#subnet) - 1;
  }

  /**
   * Takes an address for `owner`: the preferred one if it is free, else the lowest free one.
   *
   * @returns undefined when none is free.
   */
  take(owner: string, preferred?: number): number | undefined {
    if (preferred !== undefined && this.#usable(preferred) && !this.#owners.has(preferred)) {
      this.#owners.set(preferred, owner);
      return preferred;
    }
    const end = this.#subnet.base + subnetSize(this.#subnet) - 1;
    for (let address = this.#subnet.base + 1; address < end; address++) {
      if (this.#owners.has(address)) continue;
      this.#owners.set(address, owner);
      return address;
    }
    return undefined;
  }

  /** Notes an address that is in use already; false when it is someone else's or not of this network. */
  adopt(owner: string, address: number): boolean {
    if (!this.#usable(address)) return false;
    const current = this.#owners.get(address);
    if (current !== undefined && current !== owner) return false;
    this.#owners.set(address, owner);
    return true;
  }

  /** Gives an address back, if it is this owner's. */
  release(owner: string, address: number): void {
    if (this.#owners.get(address) === owner) this.#owners.delete(address);
  }
}
