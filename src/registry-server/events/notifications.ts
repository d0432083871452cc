import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from '#lib';
import type { Digest } from '#spec';
import type { Database, Statement } from '#store';
import type { NotificationEndpoint } from '../config/schema.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ContentEvents } from '../routes/routes.ts';
import type { RegistryStorage } from '../storage/registry-storage.ts';
import { Delivery } from './delivery.ts';

type Action = NotificationEndpoint['actions'][number];

/** What an event is about, in the words of Docker's notifications. */
interface EventTarget {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly size?: number;
  readonly length?: number;
  readonly repository: string;
  readonly fromRepository?: string;
  readonly tag?: string;
  readonly url?: string;
}

/**
 * Tells webhooks what happened, in the envelope of Docker's registry. Events are kept in the database until they are delivered,
 * in order; a queue that is full takes no more, and says so in the log.
 */
export class Notifications implements ContentEvents, AsyncDisposable {
  readonly #storage: RegistryStorage;
  readonly #endpoints: readonly NotificationEndpoint[];
  readonly #deliveries: ReadonlyMap<string, Delivery>;
  readonly #insert: Statement;
  readonly #db: Database;
  readonly #instanceId: string;

  constructor(storage: RegistryStorage, endpoints: readonly NotificationEndpoint[], logger: Logger) {
    this.#storage = storage;
    this.#db = storage.db;
    this.#endpoints = endpoints;
    this.#insert = storage.db.prepare('INSERT INTO notifications (endpoint, event) VALUES (?, ?)');
    this.#instanceId = randomUUID();
    this.#deliveries = new Map(
      endpoints.map((endpoint) => [endpoint.name, new Delivery(storage.db, endpoint, logger)]),
    );
  }

  manifestPulled(exchange: Exchange, repository: string, reference: string): void {
    this.#tellOfManifest('pull', exchange, repository, reference);
  }

  manifestPushed(exchange: Exchange, repository: string, digest: Digest, tags: readonly string[]): void {
    const [first] = tags;
    if (first === undefined) this.#tellOfManifest('push', exchange, repository, digest);
    for (const tag of tags) this.#tellOfManifest('push', exchange, repository, digest, tag);
  }

  manifestDeleted(
    exchange: Exchange,
    repository: string,
    reference: { kind: 'tag'; tag: string } | { kind: 'digest'; digest: Digest },
  ): void {
    this.#tell('delete', exchange, {
      repository,
      ...(reference.kind === 'tag' ? { tag: reference.tag } : { digest: reference.digest }),
    });
  }

  blobPulled(exchange: Exchange, repository: string, digest: string): void {
    this.#tellOfBlob('pull', exchange, repository, digest);
  }

  blobPushed(exchange: Exchange, repository: string, digest: Digest, mountedFrom?: string): void {
    this.#tellOfBlob(mountedFrom === undefined ? 'push' : 'mount', exchange, repository, digest, mountedFrom);
  }

  blobDeleted(exchange: Exchange, repository: string, digest: string): void {
    this.#tell('delete', exchange, { repository, digest });
  }

  /** Ends the deliveries; what is not delivered stays for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#deliveries.values()].map(async (delivery) => await delivery.close()));
  }

  #tellOfManifest(action: Action, exchange: Exchange, repository: string, reference: string, tag?: string): void {
    if (!this.#isWanted(action)) return;
    const named = reference.startsWith('sha256:')
      ? ({ kind: 'digest', digest: reference as Digest } as const)
      : ({ kind: 'tag', tag: reference } as const);
    const record = this.#storage.findManifest(repository, named);
    const told = tag ?? (named.kind === 'tag' ? named.tag : undefined);
    if (!record) return;
    this.#tell(action, exchange, {
      mediaType: record.mediaType,
      digest: record.digest,
      size: record.sizeBytes,
      length: record.sizeBytes,
      repository,
      url: `/v2/${repository}/manifests/${record.digest}`,
      ...(told === undefined ? {} : { tag: told }),
    });
  }

  #tellOfBlob(action: Action, exchange: Exchange, repository: string, digest: string, from?: string): void {
    if (!this.#isWanted(action)) return;
    const sizeBytes = this.#storage.links.find(repository, digest as Digest)?.sizeBytes ?? 0;
    this.#tell(action, exchange, {
      mediaType: 'application/octet-stream',
      digest,
      size: sizeBytes,
      length: sizeBytes,
      repository,
      url: `/v2/${repository}/blobs/${digest}`,
      ...(from === undefined ? {} : { fromRepository: from }),
    });
  }

  #isWanted(action: Action): boolean {
    return this.#endpoints.some(({ actions }) => actions.includes(action));
  }

  #tell(action: Action, { request, access }: Exchange, target: EventTarget): void {
    const event = JSON.stringify({
      id: randomUUID(),
      timestamp: new Date().toISOString(),
      action,
      target,
      request: {
        id: randomUUID(),
        addr: `${request.socket.remoteAddress ?? ''}:${request.socket.remotePort ?? ''}`,
        host: request.headers.host ?? '',
        method: request.method,
        useragent: request.headers['user-agent'] ?? '',
      },
      actor: access.user === '' ? {} : { name: access.user },
      source: { addr: hostname(), instanceID: this.#instanceId },
    });
    for (const { name, actions } of this.#endpoints) {
      const delivery = this.#deliveries.get(name);
      if (!actions.includes(action) || !delivery?.hasRoom()) continue;
      this.#db.relaxed(() => this.#insert.run(name, event));
      delivery.wake();
    }
  }
}
