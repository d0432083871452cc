import { createReadStream } from 'node:fs';
import { openFixture } from './fixture.ts';

/** Does one operation on a store and may die of a fail point on the way. Usage: crash-worker.ts DIRECTORY OPERATION FILE */
const [directory = '', operation = '', file = ''] = process.argv.slice(2);
const id = 'ef'.repeat(32);
const fixture = await openFixture(directory);
const { images, store } = fixture;
const { signal } = new AbortController();
switch (operation) {
  case 'load':
    await Array.fromAsync(images.load(createReadStream(file), { quiet: true, platform: '', signal }));
    break;
  case 'remove':
    await images.remove('crash:1', { force: true, noPrune: false, platforms: [] });
    break;
  case 'unpack':
    await images.resolve('crash:1', 'linux/s390x');
    break;
  case 'container': {
    const { chainId } = await images.resolve('crash:1');
    await store.containerLayers.create(id, chainId);
    await store.containerLayers.mount(id, { volatile: false });
    await store.containerLayers.remove(id);
    break;
  }
  default:
    throw new Error(`unknown operation ${operation}`);
}
await fixture.close();
process.stdout.write('done');
