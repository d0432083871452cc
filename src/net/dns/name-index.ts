/** What the containers of one network are called, and by which name each address is known. Names are in lower case. */
export class NameIndex {
  readonly #byName = new Map<string, Map<string, number>>();
  readonly #byContainer = new Map<string, { address: number; names: readonly string[] }>();
  readonly #byAddress = new Map<number, string>();
  /** Lists are made once and used until a name changes hands. */
  readonly #lists = new Map<string, readonly number[]>();

  /** Replaces what the container had. The first name is the one that its address leads back to. */
  set(containerId: string, address: number, names: readonly string[]): void {
    this.remove(containerId);
    const lowered = [...new Set(names.map((name) => name.toLowerCase()))];
    this.#byContainer.set(containerId, { address, names: lowered });
    const [first] = names;
    if (first !== undefined) this.#byAddress.set(address, first);
    for (const name of lowered) {
      const holders = this.#byName.get(name) ?? new Map<string, number>();
      holders.set(containerId, address);
      this.#byName.set(name, holders);
      this.#lists.delete(name);
    }
  }

  remove(containerId: string): void {
    const known = this.#byContainer.get(containerId);
    if (known === undefined) return;
    this.#byContainer.delete(containerId);
    this.#byAddress.delete(known.address);
    for (const name of known.names) {
      const holders = this.#byName.get(name);
      holders?.delete(containerId);
      if (holders?.size === 0) this.#byName.delete(name);
      this.#lists.delete(name);
    }
  }

  /** The addresses of all containers of that name. */
  addresses(name: string): readonly number[] | undefined {
    const list = this.#lists.get(name);
    if (list !== undefined) return list;
    const holders = this.#byName.get(name);
    if (holders === undefined) return undefined;
    const made = [...new Set(holders.values())];
    this.#lists.set(name, made);
    return made;
  }

  /** The name of the container with that address, as its user wrote it. */
  nameOf(address: number): string | undefined {
    return this.#byAddress.get(address);
  }
}
