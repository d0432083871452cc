import { contains, type Subnet, subnetSize } from './ipv4.ts';

/** Which addresses of a network are taken, and by whom. In memory; the caller persists. */
export class AddressPool {
  readonly #subnet: Subnet;
  readonly #range: Subnet;
  readonly #owners = new Map<number, string>();

  /**
   * @param reserved - never given out: the gateway. The network's and the broadcast address are not either.
   * @param range - the part of the subnet that addresses are given out of when nobody asks for a certain one.
   */
  constructor(subnet: Subnet, reserved: readonly number[], range: Subnet = subnet) {
    this.#subnet = subnet;
    this.#range = range;
    for (const address of reserved) this.#owners.set(address, '');
  }

  #usable(address: number): boolean {
    const { base } = this.#subnet;
    return contains(this.#subnet, address) && address !== base && address !== base + subnetSize(this.#subnet) - 1;
  }

  /** Takes this very address; false when it is someone's already, or not one for containers. */
  claim(owner: string, address: number): boolean {
    if (!this.#usable(address) || this.#owners.has(address)) return false;
    this.#owners.set(address, owner);
    return true;
  }

  /**
   * Takes an address for `owner`: the preferred one if it is free, else the lowest free one.
   *
   * @returns undefined when none is free.
   */
  take(owner: string, preferred?: number): number | undefined {
    if (preferred !== undefined && this.claim(owner, preferred)) return preferred;
    const end = this.#range.base + subnetSize(this.#range);
    for (let address = this.#range.base; address < end; address++) {
      if (this.claim(owner, address)) return address;
    }
    return undefined;
  }

  /** Notes an address that is in use already; false when it is someone else's or not of this network. */
  adopt(owner: string, address: number): boolean {
    return (this.#usable(address) && this.#owners.get(address) === owner) || this.claim(owner, address);
  }

  /** Gives an address back, if it is this owner's. */
  release(owner: string, address: number): void {
    if (this.#owners.get(address) === owner) this.#owners.delete(address);
  }
}
