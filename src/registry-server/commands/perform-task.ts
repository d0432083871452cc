import type { RegistryConfig } from '../config/schema.ts';
import { askRunningRegistry, type ControlAnswer, type ControlTask, perform } from '../control.ts';
import { storageOptions } from '../registry.ts';
import { RegistryStorage } from '../storage/registry-storage.ts';

/** Has the running registry do it, or does it here when none runs. */
export async function performTask(config: RegistryConfig, task: ControlTask): Promise<ControlAnswer> {
  const answer = await askRunningRegistry(config.root, task);
  if (answer !== undefined) return answer;
  using storage = await RegistryStorage.open(storageOptions(config));
  return await perform(storage, task);
}
