import { existsSync, readFileSync, rmSync } from 'node:fs';
import {
  createNetworkStore,
  decodeAllocation,
  type AllocationRecord,
  type NetworkContents,
  type NetworkRecord,
  type NetworkStore,
} from '#net';
import type { Database, Migration, Row } from '#store';

/** networks: one row each; network_allocations: the addresses of containers that run. Records are JSON of the net module. */
export const networkMigrations: readonly Migration[] = [
  {
    id: 'networks-0001',
    up: `
      CREATE TABLE networks (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
      CREATE TABLE network_allocations (
        network_id TEXT NOT NULL,
        container_id TEXT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (network_id, container_id)
      ) STRICT;
    `,
  },
];

/**
 * The networks' store in the engine's database. Networks are durable at once; addresses need not be, since after a crash of
 * the machine no container runs.
 *
 * @param formerFile - where versions before this one kept them: taken over, and removed.
 */
export function openNetworkStore(db: Database, formerFile: string): NetworkStore {
  const saveNetwork = db.prepare(
    'INSERT INTO networks VALUES (?, ?) ON CONFLICT DO UPDATE SET record = excluded.record',
  );
  const removeNetwork = db.prepare('DELETE FROM networks WHERE id = ?');
  const saveAllocation = db.prepare(
    'INSERT INTO network_allocations VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record',
  );
  const removeAllocation = db.prepare('DELETE FROM network_allocations WHERE network_id = ? AND container_id = ?');
  const sink = {
    saveNetwork: (network: NetworkRecord): void => void saveNetwork.run(network.id, JSON.stringify(network)),
    removeNetwork: (id: string): void => void removeNetwork.run(id),
    saveAllocation: (one: AllocationRecord): void =>
      void db.relaxed(() => saveAllocation.run(one.networkId, one.containerId, JSON.stringify(one))),
    removeAllocation: (networkId: string, containerId: string): void =>
      void db.relaxed(() => removeAllocation.run(networkId, containerId)),
  };
  takeOver(db, formerFile, sink);
  const list = (table: string): Row[] => db.prepare(`SELECT record FROM ${table} ORDER BY rowid`).all();
  return createNetworkStore(
    // We wrote them.
    {
      networks: list('networks').map((row) => JSON.parse(String(row['record'])) as NetworkRecord),
      allocations: list('network_allocations').map((row) =>
        decodeAllocation(JSON.parse(String(row['record'])) as AllocationRecord),
      ),
    },
    sink,
  );
}

function takeOver(
  db: Database,
  path: string,
  sink: { saveNetwork(network: NetworkRecord): void; saveAllocation(one: AllocationRecord): void },
): void {
  if (!existsSync(path)) return;
  const { networks, allocations } = readFormer(path);
  db.transaction(() => {
    for (const network of networks) sink.saveNetwork(network);
    for (const allocation of allocations) sink.saveAllocation(allocation);
  });
  rmSync(path);
}

/** A file torn by a crash of the machine counts as none. */
function readFormer(path: string): NetworkContents {
  try {
    const { networks = [], allocations = [] } = JSON.parse(readFileSync(path, 'utf8')) as Partial<NetworkContents>;
    return { networks, allocations: allocations.map(decodeAllocation) };
  } catch (error) {
    if (error instanceof SyntaxError) return { networks: [], allocations: [] };
    throw error;
  }
}
