/**
 * Records the shape of a real dockerd's inspect answers into `test/fixtures/inspect/`: names and types, no values.
 *
 * Usage: record-inspect.ts [HOST]. The image must be there already; the integration tests leave it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from '#client';
import { busybox, ensureBusybox } from '../test/helpers/busybox-image.ts';
import { inspectSubjects } from '../test/helpers/inspect-subjects.ts';
import { shapeOf } from '../test/helpers/shape.ts';

const client = new ApiClient({ host: process.argv[2] ?? 'unix:///run/docker.sock' });
const directory = join(import.meta.dirname, '../test/fixtures/inspect');

await ensureBusybox(client);
for (const { name, body, start } of inspectSubjects) {
  const { Id } = await client.post<{ Id: string }>('/containers/create', {}, { json: { Image: busybox, ...body } });
  try {
    if (start) await client.post(`/containers/${Id}/start`);
    const shape = shapeOf(await client.get(`/containers/${Id}/json`));
    writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(shape, undefined, 2)}\n`);
  } finally {
    await client.delete(`/containers/${Id}`, { force: true, v: true });
  }
}
client.close();
