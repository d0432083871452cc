import { createHash } from 'node:crypto';
import { decompress } from '#archive';
import { EngineError } from '#errors';
import { formatReference, isTag, parseReference, type Digest, type oci } from '#spec';
import { invalidImageArchive } from '../errors.ts';
import { isObject, parseJsonObject, stringOr, type JsonObject } from '../json.ts';
import { archivedLayer, type ArchivedImage } from './archived-image.ts';
import type { Spool } from './spool.ts';

/** Docker had 127 layers at most. */
const MAX_DEPTH = 1000;

/** One folder of the archive: its `json`, its layer, its parent's folder. */
interface LegacyImage {
  id: string;
  json: JsonObject;
  parent: string | undefined;
}

/** Fields of the old JSON that a configuration does not have. */
const dropped: ReadonlySet<string> = new Set(['id', 'parent', 'parent_id', 'layer_id', 'Size', 'throwaway', 'history']);

/** Whether an archive has the form of `docker save` before 1.10. */
export function isLegacyArchive(spool: Spool): boolean {
  return spool.find('repositories') !== undefined || spool.names().some((name) => /^[0-9a-f]{64}\/json$/.test(name));
}

/**
 * Reads the form of `docker save` before 1.10: one folder per layer with `json` and `layer.tar`, tags in `repositories`.
 * Every ancestor becomes an image too, as Docker does, so that the history stays whole.
 */
export async function readLegacyArchive(spool: Spool): Promise<ArchivedImage[]> {
  const images = await readFolders(spool);
  const references = await readRepositories(spool);
  const parents = new Set([...images.values()].map((image) => image.parent));
  const wanted = [...images.keys()].filter((id) => references.has(id) || !parents.has(id));
  const reader = new LegacyReader(spool, images);
  const result = new Map<string, ArchivedImage>();
  for (const id of wanted) {
    for (const each of await reader.lineage(id)) {
      const isIntermediate = !wanted.includes(each.id);
      result.set(each.id, { ...each.image, references: references.get(each.id) ?? [], isIntermediate });
    }
  }
  return [...result.values()];
}

async function readFolders(spool: Spool): Promise<Map<string, LegacyImage>> {
  const images = new Map<string, LegacyImage>();
  for (const name of spool.names()) {
    const id = /^([0-9a-f]{64})\/json$/.exec(name)?.[1];
    if (id === undefined) continue;
    const json = parseJsonObject(await spool.readSmall(name), name);
    const parent = stringOr(json['parent'], '');
    images.set(id, { id, json, parent: parent === '' ? undefined : parent.replace(/^sha256:/, '') });
  }
  return images;
}

async function readRepositories(spool: Spool): Promise<Map<string, string[]>> {
  const byId = new Map<string, string[]>();
  if (spool.find('repositories') === undefined) return byId;
  const repositories = parseJsonObject(await spool.readSmall('repositories'), 'repositories');
  for (const [name, tags] of Object.entries(repositories)) {
    if (!isObject(tags)) throw invalidImageArchive('repositories is not a map of tags');
    for (const [tag, id] of Object.entries(tags)) {
      if (typeof id !== 'string' || !isTag(tag))
        throw invalidImageArchive(`invalid tag ${JSON.stringify(`${name}:${tag}`)}`);
      byId.set(id, [...(byId.get(id) ?? []), formatReference({ ...parseReference(name), tag })]);
    }
  }
  return byId;
}

class LegacyReader {
  readonly #spool: Spool;
  readonly #images: ReadonlyMap<string, LegacyImage>;
  readonly #diffIds: Map<string, Digest>;

  constructor(spool: Spool, images: ReadonlyMap<string, LegacyImage>) {
    this.#spool = spool;
    this.#images = images;
    this.#diffIds = new Map();
  }

  /** The image and all its ancestors, oldest first. */
  async lineage(id: string): Promise<{ id: string; image: ArchivedImage }[]> {
    const chain = this.#ancestry(id);
    const layers = await Promise.all(
      chain.map(async (each) => archivedLayer(this.#spool.get(`${each.id}/layer.tar`), await this.#diffId(each.id))),
    );
    let parentId: Digest | undefined;
    return chain.map((each, index) => {
      const config = toConfig(
        chain.slice(0, index + 1),
        layers.slice(0, index + 1).map((layer) => layer.diffId),
      );
      const image: ArchivedImage = { config, layers: layers.slice(0, index + 1), references: [], parentId };
      parentId = `sha256:${createHash('sha256').update(config).digest('hex')}` as Digest;
      return { id: each.id, image };
    });
  }

  #ancestry(id: string): LegacyImage[] {
    const chain: LegacyImage[] = [];
    for (let next: string | undefined = id; next !== undefined;) {
      const image = this.#images.get(next);
      if (!image) throw invalidImageArchive(`invalid image archive: ${next}/json is missing`);
      chain.push(image);
      if (chain.length > MAX_DEPTH)
        throw invalidImageArchive('invalid image archive: too many parents, or a loop of them');
      next = image.parent;
    }
    return chain.toReversed();
  }

  /** Known once the layer is unpacked or hashed; there is no other source for it in this form. */
  async #diffId(id: string): Promise<Digest> {
    const known = this.#diffIds.get(id);
    if (known) return known;
    const name = `${id}/layer.tar`;
    const diffId =
      this.#spool.get(name).compression === 'plain' ? this.#spool.get(name).file.digest : await this.#hash(name);
    this.#diffIds.set(id, diffId);
    return diffId;
  }

  async #hash(name: string): Promise<Digest> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of decompress(this.#spool.openRead(name))) hash.update(chunk as Buffer);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      throw invalidImageArchive(`invalid image archive: ${name} cannot be read`, error);
    }
    return `sha256:${hash.digest('hex')}` as Digest;
  }
}

/** @see Docker's MakeConfigFromV1Config for which fields stay. */
function toConfig(lineage: readonly LegacyImage[], diffIds: readonly Digest[]): Buffer {
  const own = lineage.at(-1)?.json ?? {};
  const kept = Object.fromEntries(Object.entries(own).filter(([key]) => !dropped.has(key)));
  return Buffer.from(
    JSON.stringify({
      ...kept,
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: lineage.map(({ json }) => toHistory(json)),
    }),
  );
}

function toHistory(json: JsonObject): oci.ImageHistory {
  const command = isObject(json['container_config']) ? json['container_config']['Cmd'] : undefined;
  const createdBy = Array.isArray(command) ? command.filter((word) => typeof word === 'string').join(' ') : '';
  const texts = { created: json['created'], author: json['author'], comment: json['comment'] };
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => typeof text === 'string' && text !== '')),
    ...(createdBy === '' ? {} : { created_by: createdBy }),
  };
}
