import type { ChainId, Digest } from '#spec';
import type { Database, Row, Statement } from '../meta/index.ts';

/** An unpacked layer. */
export interface Layer {
  readonly chainId: ChainId;
  readonly parentChainId: ChainId | undefined;
  readonly diffId: Digest;
  /** What it was unpacked from; kept as long as the layer is. */
  readonly blobDigest: Digest;
  /** Name of its folder under `l/`. */
  readonly dir: string;
  /** Sum of the regular files' sizes. */
  readonly sizeBytes: number;
  /** Length of the uncompressed tar. */
  readonly tarSizeBytes: number;
  /** The boot it was unpacked under; empty once it was synced. */
  readonly bootId: string;
}

function fromRow(row: Row): Layer {
  const parent = row['parent_chain_id'];
  return {
    chainId: String(row['chain_id']) as ChainId,
    parentChainId: parent === null ? undefined : (String(parent) as ChainId),
    diffId: String(row['diff_id']) as Digest,
    blobDigest: String(row['blob_digest']) as Digest,
    dir: String(row['dir']),
    sizeBytes: Number(row['size_bytes']),
    tarSizeBytes: Number(row['tar_size_bytes']),
    bootId: String(row['boot_id']),
  };
}

/** The rows of `layers`. */
export class LayerRecords {
  readonly #find: Statement;
  readonly #list: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #remove: Statement;
  readonly #known: Statement;
  readonly #settle: Statement;

  constructor(db: Database) {
    this.#find = db.prepare('SELECT * FROM layers WHERE chain_id = ?');
    this.#list = db.prepare('SELECT * FROM layers');
    this.#insert = db.prepare('INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.#update = db.prepare('UPDATE layers SET dir = ?, boot_id = ? WHERE chain_id = ?');
    this.#remove = db.prepare('DELETE FROM layers WHERE chain_id = ?');
    this.#known = db.prepare('SELECT 1 FROM layers WHERE diff_id = ?1 OR blob_digest = ?1 LIMIT 1');
    this.#settle = db.prepare("UPDATE layers SET boot_id = '' WHERE boot_id = ?");
  }

  find(chainId: ChainId): Layer | undefined {
    const row = this.#find.get(chainId);
    return row && fromRow(row);
  }

  list(): Layer[] {
    return this.#list.all().map(fromRow);
  }

  insert(layer: Layer): void {
    this.#insert.run(
      layer.chainId,
      layer.parentChainId ?? null,
      layer.diffId,
      layer.blobDigest,
      layer.dir,
      layer.sizeBytes,
      layer.tarSizeBytes,
      layer.bootId,
    );
  }

  /** The layer was unpacked anew. */
  replaceDir(chainId: ChainId, dir: string, bootId: string): void {
    this.#update.run(dir, bootId, chainId);
  }

  remove(chainId: ChainId): void {
    this.#remove.run(chainId);
  }

  /** Whether some layer has this as its diff ID or blob. */
  isKnown(digest: Digest): boolean {
    return this.#known.get(digest) !== undefined;
  }

  /** Everything unpacked under this boot was synced. */
  markSynced(bootId: string): void {
    this.#settle.run(bootId);
  }
}
