import { KeyedMutex } from '#lib';
import type { ContainerId } from '#spec';
import { ambiguousContainer, noSuchContainer } from './errors.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerRepository } from './repository.ts';
import { Session } from './session.ts';

/**
 * All containers: their stored records, their sessions, and a lock for each.
 *
 * A record is replaced, never edited: `save` takes a changed copy, so whoever reads one sees a whole state.
 */
export class ContainerRegistry {
  readonly locks: KeyedMutex = new KeyedMutex();
  readonly repository: ContainerRepository;
  readonly #sessions = new Map<string, Session>();

  constructor(repository: ContainerRepository) {
    this.repository = repository;
  }

  list(): ContainerRecord[] {
    return this.repository.list();
  }

  /** By full ID, name, or unique ID prefix, in this order. */
  find(ref: string): ContainerRecord | undefined {
    const exact = this.repository.get(ref) ?? this.repository.getByName(ref.startsWith('/') ? ref.slice(1) : ref);
    if (exact || !/^[0-9a-f]+$/.test(ref)) return exact;
    const matches = this.repository.withPrefix(ref);
    if (matches.length > 1) throw ambiguousContainer(ref);
    return matches[0];
  }

  /** @throws notFound when there is none; invalidArgument when an ID prefix is ambiguous. */
  get(ref: string): ContainerRecord {
    const found = this.find(ref);
    if (!found) throw noSuchContainer(ref);
    return found;
  }

  /** The current record of a container known by its ID. @throws notFound when it was removed meanwhile. */
  current(id: ContainerId): ContainerRecord {
    const record = this.repository.get(id);
    if (!record) throw noSuchContainer(id);
    return record;
  }

  /** Stores a changed copy and answers it. */
  save(record: ContainerRecord, changes: Partial<ContainerRecord>): ContainerRecord {
    const next = { ...record, ...changes };
    this.repository.save(next);
    return next;
  }

  /** As `save`; the machine's sudden end (not this process's) may lose it. */
  saveRelaxed(record: ContainerRecord, changes: Partial<ContainerRecord>): ContainerRecord {
    const next = { ...record, ...changes };
    this.repository.saveRelaxed(next);
    return next;
  }

  session(id: ContainerId): Session {
    let session = this.#sessions.get(id);
    if (!session) {
      session = new Session();
      this.#sessions.set(id, session);
    }
    return session;
  }

  /** Takes the container out of view; its session's waiters stay valid. */
  bury(record: ContainerRecord, volumes: readonly string[]): Session {
    this.repository.bury(record, volumes);
    const session = this.session(record.id);
    this.#sessions.delete(record.id);
    return session;
  }
}
